import { expect, test } from 'vitest'
import type { Fault } from '#lab/api-server/fault-plan.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import type { ApiStore } from '#lab/api-server/store.ts'
import { BOOKMARK_MS, Listener, rawNode, rawService, rawSlice } from './listener.ts'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts'

// Faults at random, while the cluster changes. In the end the agent has exactly what the API server has.

const CHAOS_MS = 2500

/** The same numbers for the same seed: a failure can be looked at again, as far as the network allows. */
function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

class World {
  server!: ApiServer
  proxy!: TcpProxy
  readonly #random: () => number
  #undo: (() => void)[] = []

  constructor(random: () => number) {
    this.#random = random
  }

  async start(): Promise<void> {
    this.server = await startApiServer({ bookmarkMs: BOOKMARK_MS })
    this.proxy = await startTcpProxy({ port: this.server.port })
    this.store.put(rawNode())
    for (let i = 0; i < 30; i++) this.write()
  }

  get store(): ApiStore {
    return this.server.store
  }

  one<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }

  write(): void {
    const i = Math.floor(this.#random() * 40)
    const act = this.#random()
    if (act < 0.25) this.store.remove('Service', 'shop', `s${i}`)
    else if (act < 0.5)
      this.store.put(rawService(`s${i}`, { ports: [{ port: 1 + Math.floor(this.#random() * 9999) }] }))
    else if (act < 0.65) this.store.remove('EndpointSlice', 'shop', `e${i}`)
    else this.store.put(rawSlice(`e${i}`, `10.1.${i}.${Math.floor(this.#random() * 250)}`))
  }

  async harm(): Promise<string> {
    const ways: Readonly<Record<string, () => unknown>> = {
      reset: () => this.proxy.reset(),
      stall: () => this.proxy.stall(),
      orphan: () => this.proxy.orphan(),
      blackHole: () => this.proxy.blackHole(),
      refuse: () => this.proxy.refuse(),
      restart: () => this.restart(),
      compact: () => this.store.compact(),
      serverFault: () => this.#injectOne(),
    }
    const way = this.one(Object.keys(ways))
    await ways[way]!()
    return way
  }

  async heal(): Promise<void> {
    for (const undo of this.#undo.splice(0)) undo()
    await this.proxy.heal()
  }

  async restart(): Promise<void> {
    const { port, store } = this.server
    this.server.dropConnections()
    await this.server.close()
    if (this.#random() < 0.5) store.compact()
    this.server = await startApiServer({ port, store, bookmarkMs: BOOKMARK_MS })
  }

  async stop(): Promise<void> {
    await this.proxy.close()
    await this.server.close()
  }

  #injectOne(): void {
    const faults: readonly Fault[] = [
      { do: 'close', times: 3 },
      { do: 'reset', times: 3 },
      { do: 'truncate', times: 3 },
      { do: 'stall', at: this.one(['headers', 'body', 'half'] as const), times: 2 },
      { do: 'status', code: this.one([401, 403, 410, 429, 500, 503, 504]), times: 4 },
      { do: 'error-event', code: this.one([410, 500]), stream: this.one(['closes', 'stays-open'] as const), times: 2 },
      { do: 'garble', times: 4 },
      { do: 'mistype', times: 4 },
      { do: 'withhold', what: this.one(['events', 'bookmarks', 'all'] as const) },
      { do: 'refuse-watch-list', how: this.one(['status-422', 'error-event', 'never-ends'] as const), times: 2 },
      { do: 'expire-continue', times: 2 },
    ]
    this.#undo.push(this.server.inject(this.one(faults)))
  }
}

test.each([[Date.now() % 100_000], [7], [42]])('chaos, seed %i', async seed => {
  const random = dice(seed)
  const world = new World(random)
  await world.start()
  const listener = new Listener(`http://127.0.0.1:${world.proxy.port}`, { limits: { pageSize: 7 } })
  try {
    const end = performance.now() + CHAOS_MS
    for (let n = 0; performance.now() < end || listener.stats.Service.failures < 4; n++) {
      world.write()
      if (n % 12 === 0) await world.harm()
      if (n % 30 === 29) await world.heal()
      await new Promise(resolve => setTimeout(resolve, random() * 8))
    }
    await world.heal()
    await listener.equals(world.store)
    expect(listener.stats.Service.failures).toBeGreaterThan(3)
    // Nothing goes that had not come, and the first picture is delivered once.
    const there = new Set<string>()
    for (const event of listener.events) {
      if (event.type === 'put') there.add(`${event.object.kind} ${event.object.name}`)
      if (event.type === 'gone') expect(there.delete(`${event.kind} ${event.name}`)).toBe(true)
    }
    expect(listener.events.filter(({ type }) => type === 'synced')).toHaveLength(3)
    // Afterwards a change arrives as before.
    for (let i = 0; i < 20; i++) world.write()
    await listener.equals(world.store)
  } finally {
    await listener.stop()
    await world.stop()
  }
})
