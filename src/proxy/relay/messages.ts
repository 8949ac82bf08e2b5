import type { Family } from '#values/address.ts'

// What the relay and its workers say to each other.

export type ListenerProtocol = 'tcp' | 'udp'

/** The address and port a listener binds in every worker. */
export interface Binding {
  readonly protocol: ListenerProtocol
  readonly family: Family
  readonly host: string
  readonly port: number
}

export interface PoolEndpoint {
  readonly ip: string
  readonly port: number
  /** `10.244.1.3:8080` */
  readonly text: string
}

export interface Pool {
  readonly endpoints: readonly PoolEndpoint[]
  readonly stickySeconds?: number
}

/** A client, the endpoint it was handed to, and when it last came, in milliseconds since the epoch. */
export interface StickyClient {
  readonly client: string
  readonly endpoint: string
  readonly at: number
}

/** `key` names a listener, the same in all workers. */
export type Order =
  | {
      readonly do: 'open'
      readonly key: string
      readonly binding: Binding
      readonly pool: Pool
      readonly stickyClients: readonly StickyClient[]
    }
  | { readonly do: 'pool'; readonly key: string; readonly pool: Pool }
  | { readonly do: 'close'; readonly key: string }

export type ToWorker =
  /** Carried out in order, and answered. */
  | { readonly say: 'orders'; readonly id: number; readonly orders: readonly Order[] }
  /** From another worker. */
  | { readonly say: 'sticky'; readonly key: string; readonly stickyClient: StickyClient }

export interface NotOpened {
  readonly key: string
  readonly why: string
}

export type FromWorker =
  | { readonly say: 'done'; readonly id: number; readonly notOpened: readonly NotOpened[] }
  | { readonly say: 'sticky'; readonly key: string; readonly stickyClient: StickyClient }
  /** Clients turned away since the last such message, because no descriptors were left for them. */
  | { readonly say: 'full'; readonly refused: number }
  /** No endpoint of this listener could be reached. */
  | { readonly say: 'unreachable'; readonly key: string; readonly client: string }

export interface WorkerStart {
  /** Which of the workers, from 0. */
  readonly index: number
  readonly udpIdleMs: number
  /** Between two pulses. */
  readonly pulseMs: number
  readonly shared: SharedCounters
}

/** What all workers count together, in shared memory. */
export interface SharedCounters {
  /** The number of the next turn, by proxy port. */
  readonly turns: Int32Array<SharedArrayBuffer>
  /** By worker: what it counts up while it is alive. */
  readonly pulses: Int32Array<SharedArrayBuffer>
  /** How many descriptors connections may take, how many they have taken, and how many of those each worker. */
  readonly descriptors: Int32Array<SharedArrayBuffer>
}

/** Indexes of `descriptors`. */
export const LIMIT = 0
export const USED = 1
export const FIRST_WORKER = 2
