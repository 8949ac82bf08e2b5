import { Worker } from 'node:worker_threads'
import type { FromWorker, NotOpened, Order, ToWorker, WorkerStart } from './messages.ts'

// The relay's worker threads: orders to all of them, word from each, and another one where one has crashed.

/** What a worker says without having been asked. */
export type Word = Exclude<FromWorker, { say: 'done' }>

export interface CrewParts {
  readonly size: number
  readonly program: URL
  readonly start: Omit<WorkerStart, 'index'>
  /** What a worker that comes in the place of a crashed one must do to be like the others. */
  readonly catchUp: () => readonly Order[]
  readonly hear: (word: Word, from: number) => void
  readonly crashed: (index: number, error: Error) => void
  /** The new worker is there, and could not open these. */
  readonly replaced: (index: number, notOpened: readonly NotOpened[]) => void
}

/** The first replacement comes at once; one that crashes again waits twice as long each time. */
const RESTART_MS = 100
const LONGEST_RESTART_MS = 10_000
/** A worker that has lived for this long has not crashed because of how it started. */
const LONG_LIFE_MS = 60_000

interface Member {
  readonly worker: Worker
  readonly bornAt: number
  readonly crashes: number
  readonly waiting: Map<number, (notOpened: readonly NotOpened[]) => void>
}

export class Crew {
  readonly #parts: CrewParts
  readonly #members = new Map<number, Member>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  #asked = 0
  #closed = false

  constructor(parts: CrewParts) {
    this.#parts = parts
    for (let index = 0; index < parts.size; index++) this.#hire(index, 0)
  }

  get size(): number {
    return this.#members.size
  }

  /** Resolves when all have done it. One that crashes meanwhile counts as done: its successor catches up. */
  async ask(orders: readonly Order[]): Promise<readonly NotOpened[]> {
    if (orders.length === 0) return []
    const answers = await Promise.all([...this.#members.values()].map(member => this.#ask(member, orders)))
    return answers.flat()
  }

  /** To all but one. */
  tell(message: Extract<ToWorker, { say: 'memory' }>, except: number): void {
    for (const [index, { worker }] of this.#members) if (index !== except) worker.postMessage(message)
  }

  /** Every connection ends. */
  async close(): Promise<void> {
    this.#closed = true
    for (const restart of this.#restarts) clearTimeout(restart)
    await Promise.all([...this.#members.values()].map(({ worker }) => worker.terminate()))
  }

  #hire(index: number, crashes: number): Member {
    const { program, start } = this.#parts
    const worker = new Worker(program, {
      workerData: { ...start, index } satisfies WorkerStart,
      name: `relay ${index}`,
    })
    const member: Member = { worker, bornAt: performance.now(), crashes, waiting: new Map() }
    let why = new Error('it ended without a word')
    worker.on('message', (message: FromWorker) => this.#hear(index, message))
    worker.on('error', error => {
      why = error as Error
    })
    worker.on('exit', () => this.#lose(index, member, why))
    this.#members.set(index, member)
    return member
  }

  #ask({ worker, waiting }: Member, orders: readonly Order[]): Promise<readonly NotOpened[]> {
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
    const { waiting } = this.#members.get(index)!
    waiting.get(message.id)?.(message.notOpened)
    waiting.delete(message.id)
  }

  #lose(index: number, { waiting, bornAt, crashes }: Member, why: Error): void {
    this.#members.delete(index)
    for (const done of waiting.values()) done([])
    if (this.#closed) return
    this.#parts.crashed(index, why)
    const before = performance.now() - bornAt > LONG_LIFE_MS ? 0 : crashes
    const wait = before === 0 ? 0 : Math.min(RESTART_MS * 2 ** before, LONGEST_RESTART_MS)
    const restart = setTimeout(() => {
      this.#restarts.delete(restart)
      void this.#replace(index, before + 1)
    }, wait)
    this.#restarts.add(restart)
  }

  async #replace(index: number, crashes: number): Promise<void> {
    const member = this.#hire(index, crashes)
    const notOpened = await this.#ask(member, this.#parts.catchUp())
    if (!this.#closed) this.#parts.replaced(index, notOpened)
  }
}
