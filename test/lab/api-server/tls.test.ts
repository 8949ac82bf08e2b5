import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { get, type RequestOptions } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'

// Certificates are made when the tests start: one that is checked in would expire.

let folder: string
let server: ApiServer
const pem = (name: string) => readFileSync(join(folder, name), 'utf8')

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' })
}

function sign(name: string, subject: string): void {
  openssl(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    subject,
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  )
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    'ca.crt',
    '-CAkey',
    'ca.key',
    '-days',
    '2',
    '-copy_extensions',
    'copyall',
    '-out',
    `${name}.crt`,
  )
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'switchyard-tls-'))
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=test-ca',
    '-days',
    '2',
  )
  sign('server', '/CN=apiserver')
  sign('client', '/CN=system:node:n1/O=system:nodes')
  const tls = { key: pem('server.key'), cert: pem('server.crt'), ca: pem('ca.crt'), requestCert: true }
  server = await startApiServer({ tls, tokens: new Set(['good']) })
})

afterAll(async () => {
  await server?.close()
  rmSync(folder, { recursive: true })
})

async function opened(path: string, options: RequestOptions): Promise<IncomingMessage> {
  const request = get(server.url + path, { agent: false, ca: pem('ca.crt'), ...options })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  request.on('error', () => {}) // the response reports it, too
  response.resume()
  return response
}

describe('the API server over TLS', () => {
  test('lets in a client certificate of its CA, or a token, and no other client', async () => {
    const code = async (options: RequestOptions) => (await opened('/api/v1/services', options)).statusCode
    expect(server.url).toMatch(/^https:/)
    expect(await code({})).toBe(401)
    expect(await code({ cert: pem('client.crt'), key: pem('client.key') })).toBe(200)
    expect(await code({ headers: { authorization: 'Bearer good' } })).toBe(200)
    expect(await code({ headers: { authorization: 'Bearer bad' } })).toBe(401)
  })

  test('is not trusted by those who do not know its CA', async () => {
    await expect(opened('/healthz', { ca: pem('client.crt') })).rejects.toThrow(/verify|certificate|issuer/)
  })

  test('can reset a watch', async () => {
    const headers = { authorization: 'Bearer good' }
    const response = await opened('/api/v1/services?watch=true', { headers })
    server.inject({ do: 'reset', on: 'watch', times: 1 })
    const [error] = (await once(response, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
  })
})
