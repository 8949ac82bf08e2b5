import { describe, expect, test } from 'vitest'
import { refusal } from '#page/guard.ts'
import { isPagePath, isPageServed } from '#page/paths.ts'
import { parseAddress } from '#values/address.ts'

function asked(host: string | undefined, method = 'GET') {
  return { method, path: '/', query: new URLSearchParams(), headers: { host } }
}

describe('the page at a loopback address', () => {
  test.each(['localhost', 'localhost:10249', 'LocalHost:80', '127.0.0.1:10249', '[::1]:10249', '10.0.0.1'])(
    'answers to %s',
    host => {
      expect(refusal(asked(host), { isLoopback: true })).toBeUndefined()
    },
  )

  // Such a name may lead to 127.0.0.1, in the browser of a person who reads another site.
  test.each([
    undefined,
    '',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example:80',
    'evil.example#127.0.0.1',
  ])('refuses %j', host => {
    expect(refusal(asked(host), { isLoopback: true })?.status).toBe(421)
  })

  test('has any name where it is served to other machines', () => {
    expect(refusal(asked('node-1.example:10249'), { isLoopback: false })).toBeUndefined()
  })
})

test('another site may lead here by a link, and load nothing of it', () => {
  const from = (mode: string) => {
    const headers = { host: 'localhost', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': mode }
    return refusal({ ...asked('localhost'), headers }, { isLoopback: true })?.status
  }
  expect(['navigate', 'no-cors', 'cors'].map(from)).toEqual([undefined, 403, 403])
})

test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s is refused: the page only reads', method => {
  expect(refusal(asked('localhost', method), { isLoopback: true })).toMatchObject({
    status: 405,
    headers: { Allow: 'GET, HEAD' },
  })
})

test.each([
  ['auto', '127.0.0.1', true],
  ['auto', '127.8.8.8', true],
  ['auto', '::1', true],
  ['auto', '0.0.0.0', false],
  ['auto', '10.0.0.1', false],
  ['on', '0.0.0.0', true],
  ['off', '127.0.0.1', false],
] as const)('--page=%s with metrics at %s: %s', (choice, host, isServed) => {
  expect(isPageServed(choice, parseAddress(host)!)).toBe(isServed)
})

test('its paths are the root and what is below /page/', () => {
  expect(['/', '/page/services', '/page/'].map(isPagePath)).toEqual([true, true, true])
  expect(['/metrics', '/pages', '/page', '//', '/healthz'].map(isPagePath)).toEqual(Array(5).fill(false))
})
