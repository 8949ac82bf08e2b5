import { parentPort, workerData } from 'node:worker_threads'
import '#proxy/relay/worker/worker.ts'
import type { ToWorker, WorkerStart } from '#proxy/relay/messages.ts'

// The relay's worker, but for this: the first of them crashes when it is ordered to open a listener called "crash". Its
// successor gets the same order and lives.

const start = workerData as WorkerStart
const alreadyCrashed = Atomics.load(start.shared.turns, 0) === 1

parentPort!.on('message', (message: ToWorker) => {
  if (message.say !== 'orders' || start.index !== 0 || alreadyCrashed) return
  if (!message.orders.some(({ key }) => key.endsWith(' crash'))) return
  Atomics.store(start.shared.turns, 0, 1)
  throw new Error('as ordered')
})
