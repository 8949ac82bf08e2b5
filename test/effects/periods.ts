import { expect } from 'vitest'
import type { Event } from '#kubernetes/event.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { Agent } from '#proxy/agent/agent.ts'
import { accepted } from '../config/parsing.ts'
import { captureLog } from '../support/captured-log.ts'
import { service } from '../support/objects.ts'
import type { Effects } from './effect.ts'
import { ObedientKernel } from './obedient-kernel.ts'
import type { Given } from './rules.ts'

// How often: a whole agent on a clock that the test moves, and what its kernel is asked when.

const IPVS = ['--proxy-mode=ipvs']
const NFTABLES = ['--proxy-mode=nftables']

export const PERIODS: Effects = {
  'iptables-sync-period': async () => {
    await looksAgainAfter({ argv: ['--iptables-sync-period=7s'] }, 7)
    await looksAgainAfter({ argv: [...NFTABLES, '--iptables-sync-period=8s'] }, 8)
  },
  'iptables-min-sync-period': async () => {
    await gathersFor({ argv: ['--iptables-min-sync-period=4s'] }, 4)
    await gathersFor({ argv: [...NFTABLES, '--iptables-min-sync-period=5s'] }, 5)
  },
  'ipvs-sync-period': () => looksAgainAfter({ argv: [...IPVS, '--ipvs-sync-period=9s'] }, 9),
  'ipvs-min-sync-period': () => gathersFor({ argv: [...IPVS, '--ipvs-min-sync-period=6s'] }, 6),
  'nftables.syncPeriod': () => looksAgainAfter({ file: 'mode: nftables\nnftables: {syncPeriod: 11s}' }, 11),
  'nftables.minSyncPeriod': () => gathersFor({ file: 'mode: nftables\nnftables: {minSyncPeriod: 3s}' }, 3),
}

/** A quiet kernel without a watch is looked at again after this time, and not before. */
async function looksAgainAfter(given: Given, seconds: number): Promise<void> {
  const world = await World.open(given)
  try {
    expect(await world.hears(seconds - 1)).toBe(false)
    expect(await world.hears(2)).toBe(true)
  } finally {
    await world.close()
  }
}

/** A change soon after another one waits until this time has passed since the last sync. */
async function gathersFor(given: Given, seconds: number): Promise<void> {
  const world = await World.open(given)
  try {
    world.change()
    expect(await world.hears(seconds - 1)).toBe(false)
    expect(await world.hears(2)).toBe(true)
  } finally {
    await world.close()
  }
}

const LOOKS_AT_THE_MACHINE = /^(?:cat|ip -json) /

class World {
  readonly #kernel = new ObedientKernel()
  readonly #clock = new PaperClock()
  readonly #stop = new AbortController()
  readonly #events: Event[] = (['Service', 'EndpointSlice', 'Node'] as const).map(kind => ({ type: 'synced', kind }))
  #wake = (): void => {}
  #ended: Promise<void> | undefined

  /** With its first rules written. */
  static async open(given: Given): Promise<World> {
    const world = new World()
    const agent = await Agent.open({
      settings: (await accepted(given)).settings,
      nodeName: 'here',
      kernel: world.#kernel,
      clock: world.#clock,
      log: captureLog().log,
      source: signal => world.#source(signal),
      lastHeard: () => undefined,
    })
    world.#ended = agent.run(world.#stop.signal)
    expect(await world.hears(0)).toBe(true)
    return world
  }

  change(): void {
    this.#events.push({ type: 'put', object: service('shop/new', ['10.96.0.99']) })
    this.#wake()
  }

  /** Whether rules were read or written while this time went by. */
  async hears(seconds: number): Promise<boolean> {
    const before = this.#kernel.commands.length
    await this.#clock.advance(seconds * 1000)
    for (let i = 0; i < 50; i++) await new Promise(resolve => setImmediate(resolve))
    const heard = this.#kernel.commands.slice(before).map(({ argv }) => argv.join(' '))
    return heard.some(line => !LOOKS_AT_THE_MACHINE.test(line))
  }

  async close(): Promise<void> {
    this.#stop.abort()
    this.#wake()
    await this.#ended
  }

  async *#source(signal: AbortSignal): AsyncGenerator<Event> {
    while (!signal.aborted) {
      const event = this.#events.shift()
      if (event !== undefined) yield event
      else await new Promise<void>(resolve => (this.#wake = resolve))
    }
  }
}
