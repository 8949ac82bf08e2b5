import { vitals } from '#system/vitals.ts'

// The limit of open files of this process → how many listeners and connections the relay can carry.

/** How many files the process may have open (`ulimit -n`), and how many it has. */
export interface Descriptors {
  readonly limit: number
  readonly used: number
}

/** At its start Node has raised the soft limit to the hard limit. */
export function descriptorsNow(): Descriptors {
  const { maxFiles = 1024, openFiles = 0 } = vitals()
  return { limit: maxFiles, used: openFiles }
}

/** Kept for the agent itself: its commands have pipes, its watches and probes sockets. */
const KEPT_FREE = 100
/** Descriptors of a worker thread without any listener. */
const WORKER_COST = 12
/** A client and its endpoint. */
const CONNECTION_COST = 2

export class DescriptorLimits {
  readonly limit: number
  readonly #free: number
  readonly #workers: number

  constructor({ limit, used }: Descriptors, workers: number) {
    this.limit = limit
    this.#workers = workers
    this.#free = Math.max(0, limit - used - KEPT_FREE - WORKER_COST * workers)
  }

  /** Every listener has a socket in every worker. */
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
