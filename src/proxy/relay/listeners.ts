import type { Listener, OpenListener } from '#dialects/relay.ts'
import type { Family } from '#values/address.ts'

// What the relay offers: the little that `relay list`, `open` and `close` need.

export interface Listeners {
  list(family: Family): readonly OpenListener[]
  /** Opens them, or gives them another pool. One that cannot be opened is not listed, and is a RelayEvent. */
  open(family: Family, wanted: readonly Listener[]): Promise<void>
  /** Returns those that were open. */
  close(family: Family, names: readonly string[]): Promise<readonly OpenListener[]>
}
