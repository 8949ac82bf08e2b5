import { parentPort, workerData } from 'node:worker_threads'
import type { FromWorker, ToWorker, WorkerStart } from '#proxy/relay/messages.ts'

// A worker that does what the keys of its orders say, and opens nothing. It crashes once alone: its successor gets the same order.

const start = workerData as WorkerStart
const { turns, pulses } = start.shared

const pulse = () => Atomics.add(pulses, start.index, 1)

pulse()
setInterval(pulse, start.pulseMs).unref()

parentPort!.on('message', (message: ToWorker) => {
  if (message.say === 'sticky') return post({ ...message, key: `${start.index} heard ${message.key}` })
  const keys = message.orders.map(({ key }) => key)
  if (keys.includes(`crash ${start.index}`) && Atomics.add(turns, 0, 1) === 0) throw new Error('as ordered')
  if (keys.includes(`leave ${start.index}`) && Atomics.add(turns, 0, 1) === 0) process.exit(0)
  if (keys.includes(`hang ${start.index}`) && Atomics.add(turns, 0, 1) === 0) for (;;);
  const notOpened = keys.filter(key => key.startsWith('no ')).map(key => ({ key, why: `worker ${start.index}` }))
  post({ say: 'done', id: message.id, notOpened })
})

function post(message: FromWorker): void {
  parentPort!.postMessage(message)
}
