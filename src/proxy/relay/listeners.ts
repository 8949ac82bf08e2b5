import type { Family } from '#values/address.ts'

// What the relay offers: the little that `relay list`, `open` and `close` need.

/** `tcp shop/cart:http`, and a line of its pool as values/pool-line.ts has it. */
export interface WantedListener {
  readonly name: string
  readonly pool: string
}

export interface OpenListener extends WantedListener {
  readonly port: number
}

export interface Listeners {
  list(family: Family): readonly OpenListener[]
  /** Opens them, or gives them another pool. One that cannot be opened is not listed, and is a RelayEvent. */
  open(family: Family, wanted: readonly WantedListener[]): Promise<void>
  /** Returns those that were open. */
  close(family: Family, names: readonly string[]): Promise<readonly OpenListener[]>
}
