import type { Listener, OpenListener } from '#dialects/relay.ts'
import type { Listeners } from '#proxy/relay/listeners.ts'
import type { Family } from '#values/address.ts'

// Listeners of paper: no sockets, and a new port for each that is opened.

export class PaperListeners implements Listeners {
  readonly #open = new Map<string, OpenListener & { readonly family: Family }>()
  /** Names that cannot be opened. */
  readonly impossible = new Set<string>()
  #port = 20_000

  list(family: Family): readonly OpenListener[] {
    const open = [...this.#open.values()].filter(listener => listener.family === family)
    return open.map(({ name, pool, port }) => ({ name, pool, port }))
  }

  async open(family: Family, wanted: readonly Listener[]): Promise<void> {
    for (const { name, pool } of wanted) {
      if (this.impossible.has(name)) continue
      const port = this.#open.get(`${family} ${name}`)?.port ?? this.#port++
      this.#open.set(`${family} ${name}`, { family, name, pool, port })
    }
  }

  async close(family: Family, names: readonly string[]): Promise<readonly OpenListener[]> {
    return names.flatMap(name => {
      const open = this.#open.get(`${family} ${name}`)
      this.#open.delete(`${family} ${name}`)
      return open === undefined ? [] : [open]
    })
  }
}
