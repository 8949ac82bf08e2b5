import { expect, test } from 'vitest'
import { pageAt } from '#lab/kubelet/program/pages.ts'
import { speaksHttp } from '#lab/kubelet/program/sniffing.ts'

const page = (path: string) => pageAt(new URL(path, 'http://pod'), { name: 'web-1', client: '10.244.1.9:4711' })

test('the small program answers with its name, its client, what it was sent, and that it is well', () => {
  expect(['/', '/hostname', '/healthz', '/clientip', '/echo?msg=a%20b'].map(path => page(path).text)).toEqual([
    ...['web-1', 'web-1', 'ok', '10.244.1.9:4711', 'a b'],
  ])
})

test('the small program ends when it is asked to, and names its pages where there is none', () => {
  expect(page('/exit?code=3')).toEqual({ status: 200, text: 'exit 3', exit: 3 })
  expect(page('/exit?code=x')).toEqual({ status: 400, text: 'code: "x" is not a number from 0 to 255' })
  expect(page('/other')).toMatchObject({
    status: 404,
    text: expect.stringMatching(/^web-1 has no \/other: there are \/ /),
  })
})

test.each([
  ['GET / HTTP/1.1', true],
  ['POST /a', true],
  ['GETTING', false],
  ['hello', false],
  ['', false],
])('%j is HTTP: %s', (text, is) => {
  expect(speaksHttp(Buffer.from(text))).toBe(is)
})
