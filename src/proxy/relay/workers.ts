import { Worker } from 'node:worker_threads'
import type { Clock } from '#system/ports.ts'
import { Heartbeats, type Rhythm } from './heartbeats.ts'
import type { FromWorker, NotOpened, Order, ToWorker, WorkerStart } from './messages.ts'

// The relay's worker threads: orders to all of them, events from each, and a new one for each that crashed or hung.

/** What a worker sends without an order. */
export type WorkerEvent = Exclude<FromWorker, { say: 'done' }>

export interface WorkersParts {
  readonly size: number
  readonly program: URL
  readonly start: Omit<WorkerStart, 'index' | 'pulseMs'>
  readonly clock: Pick<Clock, 'sleep'>
  readonly rhythm: Rhythm
  /** The orders that bring a new worker to the state of the others. */
  readonly catchUp: () => readonly Order[]
  readonly hear: (event: WorkerEvent, from: number) => void
  readonly crashed: (index: number, error: Error) => void
  /** It did nothing for so long, and was ended. */
  readonly hung: (index: number, silentMs: number) => void
  /** Called when a new worker has caught up, with the listeners it could not open. */
  readonly replaced: (index: number, notOpened: readonly NotOpened[]) => void
}

/** The first replacement comes at once; one that crashes again waits twice as long each time. */
const RESTART_MS = 100
const LONGEST_RESTART_MS = 10_000
/** A worker that has lived for this long has not crashed because of how it started. */
const LONG_LIFE_MS = 60_000

interface RunningWorker {
  readonly worker: Worker
  readonly bornAt: number
  readonly crashes: number
  /** Set before it is ended because it hangs. */
  hangs: boolean
  readonly waiting: Map<number, (notOpened: readonly NotOpened[]) => void>
}

export class Workers {
  readonly #parts: WorkersParts
  readonly #running = new Map<number, RunningWorker>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  readonly #heartbeats: Heartbeats
  #asked = 0
  #closed = false

  constructor(parts: WorkersParts) {
    this.#parts = parts
    const { clock, rhythm } = parts
    const { pulses } = parts.start.shared
    this.#heartbeats = new Heartbeats({ pulses, clock, rhythm, stopped: index => this.#endHung(index) })
    for (let index = 0; index < parts.size; index++) this.#start(index, 0)
  }

  get size(): number {
    return this.#running.size
  }

  /** Resolves when all workers have carried the orders out. One that crashes meanwhile counts as done: its successor catches up. */
  async ask(orders: readonly Order[]): Promise<readonly NotOpened[]> {
    if (orders.length === 0) return []
    const answers = await Promise.all([...this.#running.values()].map(running => this.#ask(running, orders)))
    return answers.flat()
  }

  /** To all workers but the one it came from. */
  share(message: Extract<ToWorker, { say: 'sticky' }>, except: number): void {
    for (const [index, { worker }] of this.#running) if (index !== except) worker.postMessage(message)
  }

  /** Every connection ends. */
  async close(): Promise<void> {
    this.#closed = true
    this.#heartbeats.close()
    for (const restart of this.#restarts) clearTimeout(restart)
    await Promise.all([...this.#running.values()].map(({ worker }) => worker.terminate()))
  }

  #start(index: number, crashes: number): RunningWorker {
    const { program, start, rhythm } = this.#parts
    const worker = new Worker(program, {
      workerData: { ...start, index, pulseMs: rhythm.everyMs } satisfies WorkerStart,
      name: `relay ${index}`,
    })
    const running: RunningWorker = { worker, bornAt: performance.now(), crashes, hangs: false, waiting: new Map() }
    let why = new Error('it ended without an error')
    worker.on('message', (message: FromWorker) => this.#hear(index, message))
    worker.on('error', error => {
      why = error as Error
    })
    worker.on('exit', () => this.#lose(index, running, why))
    this.#running.set(index, running)
    this.#heartbeats.watch(index)
    return running
  }

  #ask({ worker, waiting }: RunningWorker, orders: readonly Order[]): Promise<readonly NotOpened[]> {
    const id = ++this.#asked
    const { promise, resolve } = Promise.withResolvers<readonly NotOpened[]>()
    waiting.set(id, resolve)
    worker.postMessage({ say: 'orders', id, orders } satisfies ToWorker)
    return promise
  }

  #hear(index: number, message: FromWorker): void {
    if (message.say !== 'done') {
      this.#parts.hear(message, index)
      return
    }
    const { waiting } = this.#running.get(index)!
    waiting.get(message.id)?.(message.notOpened)
    waiting.delete(message.id)
  }

  /** A client that is handed to it waits for ever. Its end is like that of one that crashed. */
  #endHung(index: number): void {
    const running = this.#running.get(index)
    if (running === undefined) return
    running.hangs = true
    void running.worker.terminate()
  }

  #lose(index: number, { waiting, bornAt, crashes, hangs }: RunningWorker, why: Error): void {
    this.#running.delete(index)
    this.#heartbeats.ignore(index)
    for (const done of waiting.values()) done([])
    if (this.#closed) return
    const { everyMs, missed } = this.#parts.rhythm
    if (hangs) this.#parts.hung(index, everyMs * missed)
    else this.#parts.crashed(index, why)
    const before = performance.now() - bornAt > LONG_LIFE_MS ? 0 : crashes
    const wait = before === 0 ? 0 : Math.min(RESTART_MS * 2 ** before, LONGEST_RESTART_MS)
    const restart = setTimeout(() => {
      this.#restarts.delete(restart)
      void this.#replace(index, before + 1)
    }, wait)
    this.#restarts.add(restart)
  }

  async #replace(index: number, crashes: number): Promise<void> {
    const running = this.#start(index, crashes)
    const notOpened = await this.#ask(running, this.#parts.catchUp())
    if (!this.#closed) this.#parts.replaced(index, notOpened)
  }
}
