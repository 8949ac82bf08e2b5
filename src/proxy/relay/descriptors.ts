import { vitals } from '#system/vitals.ts'

// How many descriptors this process may have → how many listeners and connections it can carry.

/** What the process may have open at a time (`ulimit -n`), and what it has. */
export interface Descriptors {
  readonly limit: number
  readonly used: number
}

/** Node has raised the limit as far as it may be raised by the time we look. */
export function descriptorsNow(): Descriptors {
  const { maxFiles = 1024, openFiles = 0 } = vitals()
  return { limit: maxFiles, used: openFiles }
}

/** For the agent itself: its commands have pipes, its watches and probes sockets. */
const KEPT_FREE = 100
/** What each worker takes to be there at all. */
const WORKER_COST = 12
/** A client and its endpoint. */
const CONNECTION_COST = 2

export class Room {
  readonly limit: number
  readonly #free: number
  readonly #workers: number

  constructor({ limit, used }: Descriptors, workers: number) {
    this.limit = limit
    this.#workers = workers
    this.#free = Math.max(0, limit - used - KEPT_FREE - WORKER_COST * workers)
  }

  /** Each listens in every worker. */
  get listeners(): number {
    return Math.floor(this.#free / this.#workers)
  }

  /** Descriptors left for connections beside so many listeners. */
  beside(listeners: number): number {
    return Math.max(0, this.#free - listeners * this.#workers)
  }

  connectionsBeside(listeners: number): number {
    return Math.floor(this.beside(listeners) / CONNECTION_COST)
  }
}
