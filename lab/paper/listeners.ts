import type { Listener, OpenListener } from '#dialects/relay.ts'
import type { Listeners } from '#proxy/relay/listeners.ts'
import type { FlowTable } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { parsePoolLine } from '#values/pool-line.ts'

// Listeners of paper: no sockets, and a new port for each that is opened.

/** Of a kernel of paper, which tracks no connections. */
export const NO_FLOWS: FlowTable = { forget: async () => 0 }

export interface PaperListenersOptions {
  /** Those of the host: a listener that is to answer at another one cannot be opened. */
  readonly addresses?: 'any' | readonly string[]
}

export class PaperListeners implements Listeners {
  readonly #addresses: 'any' | readonly string[]
  readonly #open = new Map<string, OpenListener & { readonly family: Family }>()
  /** Names that cannot be opened. */
  readonly impossible = new Set<string>()
  #port = 20_000

  constructor({ addresses = 'any' }: PaperListenersOptions = {}) {
    this.#addresses = addresses
  }

  list(family: Family): readonly OpenListener[] {
    return [...this.#open.values()].filter(listener => listener.family === family).map(asOpen)
  }

  /** All of them are read before the first is opened. */
  async open(family: Family, wanted: readonly Listener[]): Promise<void> {
    const read = wanted.map(({ name, pool }) => ({ name, pool, at: addressOf(name, pool) }))
    for (const { name, pool, at } of read) {
      const key = `${family} ${name}`
      const port = this.#open.get(key)?.port ?? this.#port++
      if (this.#canOpen(name, at)) this.#open.set(key, { family, name, pool, port })
      else this.#open.delete(key)
    }
  }

  async close(family: Family, names: readonly string[]): Promise<readonly OpenListener[]> {
    return names.flatMap(name => {
      const open = this.#open.get(`${family} ${name}`)
      this.#open.delete(`${family} ${name}`)
      return open === undefined ? [] : [asOpen(open)]
    })
  }

  #canOpen(name: string, at: string | undefined): boolean {
    const isHere = at === undefined || this.#addresses === 'any' || this.#addresses.includes(at)
    return isHere && !this.impossible.has(name)
  }
}

function addressOf(name: string, pool: string): string | undefined {
  const read = parsePoolLine(pool)
  if (read === undefined) throw new Error(`"${pool}" must read: to IP:PORT … [sticky SECONDS] [at IP]`)
  if (!/^(?:tcp|udp) /.test(name)) throw new Error(`"${name}" must read: tcp NAME or udp NAME`)
  return read.at
}

function asOpen({ name, pool, port }: OpenListener): OpenListener {
  return { name, pool, port }
}
