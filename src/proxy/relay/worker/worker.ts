import { parentPort, workerData } from 'node:worker_threads'
import type { FromWorker, NotOpened, Order, ToWorker, WorkerStart } from '#proxy/relay/messages.ts'
import { Budget } from './budget.ts'
import { Chooser } from './chooser.ts'
import type { Door } from './listener.ts'
import { TcpDoor } from './tcp/tcp-listener.ts'
import { UdpDoor } from './udp/udp-listener.ts'

// The program of a worker thread: orders → doors, and what happens at them.

const start = workerData as WorkerStart
const { turns } = start.shared
const budget = new Budget(start)
const doors = new Map<string, Door>()
/** Listeners whose clients were sent away in this second: one word of each is enough. */
const unreachable = new Set<string>()

const REPORT_MS = 1000
const PURGE_MS = 60_000

/** Orders wait for those before them: a pool may change while its listener is being opened. */
let earlier: Promise<unknown> = Promise.resolve()

parentPort!.on('message', (message: ToWorker) => {
  if (message.say === 'memory') {
    doors.get(message.key)?.chooser.remember(message.memory)
    return
  }
  const { id, orders } = message
  earlier = earlier.then(() => carryOut(orders)).then(notOpened => tell({ say: 'done', id, notOpened }))
})
setInterval(report, REPORT_MS).unref()
setInterval(() => {
  for (const { chooser } of doors.values()) chooser.purge()
}, PURGE_MS).unref()

function tell(message: FromWorker): void {
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
      doors.get(order.key)?.chooser.update(order.pool)
      return undefined
    case 'close':
      doors.get(order.key)?.close()
      doors.delete(order.key)
      return undefined
  }
}

async function open({ key, spot, pool, memories }: Extract<Order, { do: 'open' }>): Promise<NotOpened | undefined> {
  const chooser = new Chooser({
    pool,
    memories,
    turn: () => Atomics.add(turns, spot.port, 1),
    now: () => Date.now(),
    tell: memory => tell({ say: 'memory', key, memory }),
  })
  const kind = spot.protocol === 'tcp' ? TcpDoor : UdpDoor
  const { udpIdleMs } = start
  try {
    const door = await kind.open({ spot, chooser, budget, udpIdleMs, unreachable: client => sentAway(key, client) })
    doors.set(key, door)
    return undefined
  } catch (error) {
    return { key, why: (error as Error).message }
  }
}

function sentAway(key: string, client: string): void {
  if (unreachable.has(key)) return
  unreachable.add(key)
  tell({ say: 'unreachable', key, client })
}

function report(): void {
  unreachable.clear()
  const refused = budget.takeRefused()
  if (refused > 0) tell({ say: 'full', refused })
}
