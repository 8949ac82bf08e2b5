import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { askLocalHttp, serveLocalHttp } from '#system/local-http.ts'
import { serveLocal } from '#system/local-socket.ts'
import { isServed, placeSocket } from '#system/placed-socket.ts'

// Two processes and one path: at the end of one and the start of the next.

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'placed-socket-'))
  path = join(folder, 'a.sock')
})
afterEach(() => rmSync(folder, { recursive: true }))

const WAYS = {
  'a socket': () => serveLocal(path, () => {}),
  'HTTP over one': () => serveLocalHttp(path, () => ({ status: 200, body: '' })),
}

describe.each(Object.entries(WAYS))('%s', (_, serve) => {
  test('is served until its path is free, so that no successor has it before', async () => {
    const listener = await serve()
    const closing = listener.close()
    const [isServedStill, isThere] = [isServed(path), existsSync(path)]
    expect([await isServedStill, isThere]).toEqual([true, true])
    await closing
    expect([await isServed(path), existsSync(path)]).toEqual([false, false])
  })
})

test('a process that has no time to accept serves all the same', async () => {
  const server = `
    const { workerData, parentPort } = require('node:worker_threads')
    require('node:net').createServer().listen({ path: workerData.path, backlog: 1 }, () => {
      parentPort.postMessage('listens')
      Atomics.wait(workerData.end, 0, 0)
    })`
  const end = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(server, { eval: true, workerData: { path, end } })
  await once(worker, 'message')
  const waiting = Array.from({ length: 8 }, () => connect({ path }).on('error', () => {}))
  expect(await isServed(path)).toBe(true)
  await expect(placeSocket(createServer(), path)).rejects.toThrow('another process serves at')
  for (const socket of waiting) socket.destroy()
  Atomics.store(end, 0, 1)
  Atomics.notify(end, 0)
  await worker.terminate()
})

test('an answer that cannot be read is a refusal', async () => {
  const server = await serveLocalHttp(path, () => ({ status: 200, body: '{' }))
  await expect(askLocalHttp({ socket: path, method: 'GET', path: '/', withinMs: 60_000 })).rejects.toThrow(SyntaxError)
  await server.close()
})
