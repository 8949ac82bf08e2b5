import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isToken, readMaterial, serverFrom } from '#kubernetes/access/login.ts'
import { PaperFiles } from '../desk.ts'

describe('the server', () => {
  test.each([
    ['https://10.0.0.1:6443', 'https://10.0.0.1:6443', '', 'tls'],
    ['HTTPS://API.example:443/', 'https://api.example', '', 'tls'],
    ['http://[fd00::1]:8080', 'http://[fd00::1]:8080', '', 'plain'],
    ['https://a/k8s/clusters/c-1//', 'https://a', '/k8s/clusters/c-1', 'tls'],
    ['10.0.0.1:8080', 'https://10.0.0.1:8080', '', 'tls'],
    ['localhost', 'https://localhost', '', 'tls'],
    ['[fd00::1]:6443', 'https://[fd00::1]:6443', '', 'tls'],
  ])('%s', (text, origin, prefix, secure) => expect(serverFrom(text, 'tls')).toEqual({ origin, prefix, secure }))

  test('without a scheme is as secure as there is anything for', () => {
    expect(serverFrom('a:8080', 'plain')).toEqual({ origin: 'http://a:8080', prefix: '', secure: 'plain' })
    expect(serverFrom('https://a', 'plain')?.secure).toBe('tls')
  })

  test.each([
    '',
    '/',
    'http://',
    'https://a:99999',
    'ftp://a',
    'unix:///run/a',
    'https://a?x=1',
    'https://a/#b',
    'a b',
    'https://a b',
  ])('is not %j', text => expect(serverFrom(text, 'tls')).toBeUndefined())

  test('has an origin to which paths can be added, whatever text it was read from', () => {
    fc.assert(
      fc.property(fc.oneof(fc.webUrl({ withQueryParameters: true }), fc.string()), text => {
        const server = serverFrom(text, 'plain')
        if (server === undefined) return
        const url = new URL(`${server.origin}${server.prefix}/api/v1/nodes`)
        expect([url.origin, url.search, url.hash]).toEqual([server.origin, '', ''])
        expect(url.pathname.endsWith('/api/v1/nodes')).toBe(true)
      }),
    )
  })
})

test('a token is one line of visible characters', () => {
  expect(['a', 'eyJ.a-b_c=', '~!'].every(isToken)).toBe(true)
  expect(['', ' a', 'a b', 'a\n', 'a\r\nx: y', 'ä', '\0'].some(isToken)).toBe(false)
})

test('a text is there, and a file is read each time; what is wrong with it is said with what it is for', async () => {
  const files = new PaperFiles({ '/token': 'one' })
  const material = { from: 'file', path: '/token', named: 'users[0].user.tokenFile of /k' } as const
  expect(await readMaterial(files, { from: 'text', text: 'inline' })).toBe('inline')
  expect(await readMaterial(files, material)).toBe('one')
  files.texts.set('/token', 'two')
  expect(await readMaterial(files, material)).toBe('two')
  files.texts.clear()
  await expect(readMaterial(files, material)).rejects.toThrow(
    'cannot read users[0].user.tokenFile of /k, /token: there is no such file',
  )
})
