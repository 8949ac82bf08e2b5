import { afterEach, beforeEach, expect, test } from 'vitest'
import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import type { AnsweredRequest, FinishedRequest } from '#kubernetes/request-observer.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { systemClock } from '#system/clock.ts'
import { freePort } from '../support/local-ports.ts'

// What is reported of requests to a real server on loopback.

let server: ApiServer
let requested: AnsweredRequest[]
let finished: FinishedRequest[]
const transports: ApiTransport[] = []

beforeEach(async () => {
  server = await startApiServer()
  requested = []
  finished = []
})

afterEach(async () => {
  await Promise.all(transports.splice(0).map(transport => transport.close()))
  await server.close()
})

async function to(master: string): Promise<ApiTransport> {
  const files = { readText: () => Promise.reject(new Error('no file')) }
  const credentials = await credentialsFrom({ master, env: {}, files, kernel: new PaperKernel(), clock: systemClock })
  const observer = {
    now: () => performance.now(),
    requested: (it: AnsweredRequest) => requested.push(it),
    finished: (it: FinishedRequest) => finished.push(it),
  }
  const transport = new ApiTransport({ credentials, observer })
  transports.push(transport)
  return transport
}

const signal = new AbortController().signal

test('a list is reported with its code when it begins, and with its size when it has ended', async () => {
  const transport = await to(server.url)
  const { body } = await transport.get({ path: '/api/v1/services', signal })
  const host = new URL(server.url).host
  expect(requested).toEqual([{ host, method: 'GET', code: '200' }])
  const text = await body.text()
  expect(finished).toMatchObject([{ host, method: 'GET', sentBytes: 0, receivedBytes: text.length }])
  expect(finished[0]!.tookMs).toBeGreaterThan(0)
})

test('a watch is reported when it begins, and not how long it lasted', async () => {
  const transport = await to(server.url)
  const stop = new AbortController()
  await transport.get({ path: '/api/v1/services?watch=true&resourceVersion=0', signal: stop.signal })
  expect(requested.map(({ code }) => code)).toEqual(['200'])
  stop.abort()
  await transport.close()
  expect([requested.length, finished]).toEqual([1, []])
})

test('a refusal has its code, what is sent its size, and a server that is not there an error', async () => {
  const transport = await to(server.url)
  const sent = '{"täglich":true}'
  const { body } = await transport.post({ path: '/no/such/path', body: sent, signal })
  await body.dump()
  expect(requested).toMatchObject([{ method: 'POST', code: '404' }])
  expect(finished).toMatchObject([{ method: 'POST', sentBytes: Buffer.byteLength(sent) }])
  const closed = `127.0.0.1:${await freePort()}`
  await expect((await to(`http://${closed}`)).get({ path: '/', signal })).rejects.toThrow('cannot reach')
  expect(requested[1]).toEqual({ host: closed, method: 'GET', code: '<error>' })
})
