import type { Family } from '#values/address.ts'

// What the relay and its workers say to each other.

export type Transport = 'tcp' | 'udp'

/** Where a listener answers, in every worker. */
export interface Spot {
  readonly protocol: Transport
  readonly family: Family
  readonly host: string
  readonly port: number
}

export interface Endpoint {
  readonly ip: string
  readonly port: number
  /** `10.244.1.3:8080` */
  readonly text: string
}

export interface Pool {
  readonly endpoints: readonly Endpoint[]
  readonly stickySeconds?: number
}

/** Where a client was handed to, and when it was last here, in milliseconds since the epoch. */
export interface Memory {
  readonly client: string
  readonly endpoint: string
  readonly at: number
}

/** `key` names a listener, the same in all workers. */
export type Order =
  | {
      readonly do: 'open'
      readonly key: string
      readonly spot: Spot
      readonly pool: Pool
      readonly memories: readonly Memory[]
    }
  | { readonly do: 'pool'; readonly key: string; readonly pool: Pool }
  | { readonly do: 'close'; readonly key: string }

export type ToWorker =
  /** Carried out in order, and answered. */
  | { readonly say: 'orders'; readonly id: number; readonly orders: readonly Order[] }
  /** Heard from another worker. */
  | { readonly say: 'memory'; readonly key: string; readonly memory: Memory }

export interface NotOpened {
  readonly key: string
  readonly why: string
}

export type FromWorker =
  | { readonly say: 'done'; readonly id: number; readonly notOpened: readonly NotOpened[] }
  | { readonly say: 'memory'; readonly key: string; readonly memory: Memory }
  /** So many clients were turned away since this was last said, because there are no descriptors for them. */
  | { readonly say: 'full'; readonly refused: number }
  /** Nobody behind this listener could be reached. */
  | { readonly say: 'unreachable'; readonly key: string; readonly client: string }

export interface WorkerStart {
  /** Which of the workers, from 0. */
  readonly index: number
  readonly udpIdleMs: number
  readonly shared: Shared
}

/** What all workers count together, without asking anybody. */
export interface Shared {
  /** Whose turn it is, by proxy port. */
  readonly turns: Int32Array<SharedArrayBuffer>
  /** How many descriptors connections may take, how many they have taken, and how many of those each worker. */
  readonly descriptors: Int32Array<SharedArrayBuffer>
}

/** Places in `descriptors`. */
export const LIMIT = 0
export const USED = 1
export const FIRST_WORKER = 2
