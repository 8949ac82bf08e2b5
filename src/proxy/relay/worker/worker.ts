import { parentPort, workerData } from 'node:worker_threads'
import type { FromWorker, NotOpened, Order, ToWorker, WorkerStart } from '#proxy/relay/messages.ts'
import { Budget } from './budget.ts'
import { Chooser } from './chooser.ts'
import type { WorkerListener } from './listener.ts'
import { TcpListener } from './tcp/tcp-listener.ts'
import { UdpListener } from './udp/udp-listener.ts'

// The program of a worker thread: orders → listeners, and messages about their clients.

const start = workerData as WorkerStart
const { turns, pulses } = start.shared
const budget = new Budget(start)
const listeners = new Map<string, WorkerListener>()
/** Listeners whose clients were sent away in this second: one message about each is enough. */
const unreachable = new Set<string>()

const REPORT_MS = 1000
const PURGE_MS = 60_000

/** Orders wait for those before them: a pool may change while its listener is being opened. */
let earlier: Promise<unknown> = Promise.resolve()

parentPort!.on('message', (message: ToWorker) => {
  if (message.say === 'sticky') {
    listeners.get(message.key)?.chooser.remember(message.stickyClient)
    return
  }
  const { id, orders } = message
  earlier = earlier.then(() => carryOut(orders)).then(notOpened => post({ say: 'done', id, notOpened }))
})
setInterval(report, REPORT_MS).unref()
pulse()
setInterval(pulse, start.pulseMs).unref()
setInterval(() => {
  for (const { chooser } of listeners.values()) chooser.purge()
}, PURGE_MS).unref()

function pulse(): void {
  Atomics.add(pulses, start.index, 1)
}

function post(message: FromWorker): void {
  parentPort!.postMessage(message)
}

async function carryOut(orders: readonly Order[]): Promise<readonly NotOpened[]> {
  const outcomes = await Promise.all(orders.map(obey))
  return outcomes.filter(outcome => outcome !== undefined)
}

async function obey(order: Order): Promise<NotOpened | undefined> {
  switch (order.do) {
    case 'open':
      return open(order)
    case 'pool':
      listeners.get(order.key)?.chooser.update(order.pool)
      return undefined
    case 'close':
      await closed(order.key)
      return undefined
  }
}

async function closed(key: string): Promise<void> {
  const listener = listeners.get(key)
  listeners.delete(key)
  await listener?.close()
}

async function open({
  key,
  binding,
  pool,
  stickyClients,
}: Extract<Order, { do: 'open' }>): Promise<NotOpened | undefined> {
  const chooser = new Chooser({
    pool,
    stickyClients,
    turn: () => Atomics.add(turns, binding.port, 1),
    now: () => Date.now(),
    share: stickyClient => post({ say: 'sticky', key, stickyClient }),
  })
  const kind = binding.protocol === 'tcp' ? TcpListener : UdpListener
  const { udpIdleMs } = start
  try {
    const listener = await kind.open({
      binding,
      chooser,
      budget,
      udpIdleMs,
      unreachable: client => sentAway(key, client),
    })
    listeners.set(key, listener)
    return undefined
  } catch (error) {
    return { key, why: (error as Error).message }
  }
}

function sentAway(key: string, client: string): void {
  if (unreachable.has(key)) return
  unreachable.add(key)
  post({ say: 'unreachable', key, client })
}

function report(): void {
  unreachable.clear()
  const refused = budget.takeRefused()
  if (refused > 0) post({ say: 'full', refused })
}
