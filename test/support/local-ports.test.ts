import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { freePort, freePorts, isFree, occupyPort } from './local-ports.ts'

/** The ports that a thread is given, and keeps until it is stopped. */
async function thread(count: number) {
  const module = new URL('./local-ports.ts', import.meta.url)
  const worker = new Worker(
    `const { parentPort } = require('node:worker_threads')
     import(${JSON.stringify(module)}).then(async ({ freePort }) => {
       const ports = []
       for (let i = 0; i < ${count}; i++) ports.push(await freePort())
       parentPort.postMessage(ports)
       parentPort.on('message', () => {})
     })`,
    { eval: true },
  )
  const ports = await new Promise<readonly number[]>((resolve, reject) =>
    worker.once('message', resolve).once('error', reject),
  )
  return { ports, stop: () => worker.terminate() }
}

test('no port is given twice, in whichever threads that is asked for', async () => {
  const threads = await Promise.all([100, 100, 100].map(thread))
  const ports = threads.flatMap(one => one.ports)
  for (let i = 0; i < 100; i++) ports.push(await freePort())
  expect(new Set(ports).size).toBe(400)
  await Promise.all(threads.map(one => one.stop()))
})

test('several in a row are given away with the first', async () => {
  const firsts = await Promise.all(Array.from({ length: 200 }, () => freePorts(3)))
  expect(new Set(firsts.flatMap(first => [first, first + 1, first + 2])).size).toBe(600)
})

test('a port that a program has is not given to a test, in whichever family and protocol it has it', async () => {
  const free = await freePorts(3)
  const tcp = await occupyPort({ port: free, host: '127.0.0.1' })
  const udp = createSocket('udp4').bind(free + 1, '127.0.0.1')
  await once(udp, 'listening')
  expect(await Promise.all([0, 1, 2].map(i => isFree(free + i)))).toEqual([false, false, true])
  await tcp.release()
  await new Promise<void>(resolve => udp.close(resolve))
  expect(await Promise.all([0, 1, 2].map(i => isFree(free + i)))).toEqual([true, true, true])
})

test('a port that is released can be taken again', async () => {
  const one = await occupyPort({ port: 0, host: '127.0.0.1' })
  await expect(occupyPort({ port: one.port })).rejects.toThrow('EADDRINUSE')
  await one.release()
  await (await occupyPort({ port: one.port })).release()
})
