import type { Family } from '#values/address.ts'

// What the relay can be asked for: the little that `relay list`, `open` and `close` need.

/** `tcp shop/cart:http`, and a line of its pool as values/pool-line.ts has it. */
export interface Wanted {
  readonly name: string
  readonly pool: string
}

export interface Open extends Wanted {
  readonly port: number
}

export interface Listeners {
  list(family: Family): readonly Open[]
  /** Opens them, or gives them another pool. One that cannot be opened is not listed, and is told of elsewhere. */
  open(family: Family, wanted: readonly Wanted[]): Promise<void>
  /** Returns those that were open. */
  close(family: Family, names: readonly string[]): Promise<readonly Open[]>
}
