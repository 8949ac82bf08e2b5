import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { get, type RequestOptions } from 'node:https'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { newAuthority } from '#lab/api-server/tls/authority.ts'

const authority = newAuthority(Date.now())
const client = authority.issue({ commonName: 'system:node:n1', organizations: ['system:nodes'] })
let server: ApiServer

beforeAll(async () => {
  const tls = { ...authority.issue({ commonName: 'apiserver', hosts: ['127.0.0.1'] }), ca: authority.cert }
  server = await startApiServer({ tls: { ...tls, requestCert: true }, tokens: new Set(['good']) })
})
afterAll(() => server?.close())

async function opened(path: string, options: RequestOptions): Promise<IncomingMessage> {
  const request = get(server.url + path, { agent: false, ca: authority.cert, ...options })
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
    expect(await code(client)).toBe(200)
    expect(await code({ headers: { authorization: 'Bearer good' } })).toBe(200)
    expect(await code({ headers: { authorization: 'Bearer bad' } })).toBe(401)
  })

  test('is not trusted by those who do not know its CA', async () => {
    await expect(opened('/healthz', { ca: newAuthority(Date.now()).cert })).rejects.toThrow(/verify|certificate|issuer/)
  })

  test('can reset a watch', async () => {
    const headers = { authorization: 'Bearer good' }
    const response = await opened('/api/v1/services?watch=true', { headers })
    server.inject({ do: 'reset', on: 'watch', times: 1 })
    const [error] = (await once(response, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ECONNRESET')
  })
})
