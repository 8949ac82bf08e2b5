import { parentPort, workerData } from 'node:worker_threads'
import '#proxy/relay/worker/worker.ts'
import type { ToWorker, WorkerStart } from '#proxy/relay/messages.ts'

// The relay's worker, but for this: the first of them spins for ever when it is ordered to open a listener called "hang". Its
// successor gets the same order and works.

const start = workerData as WorkerStart
const hasHung = Atomics.load(start.shared.turns, 0) === 1

parentPort!.on('message', (message: ToWorker) => {
  if (message.say !== 'orders' || start.index !== 0 || hasHung) return
  if (!message.orders.some(({ key }) => key.endsWith(' hang'))) return
  Atomics.store(start.shared.turns, 0, 1)
  for (;;);
})
