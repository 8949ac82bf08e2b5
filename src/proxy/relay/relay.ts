import { availableParallelism } from 'node:os'
import type { Listener, OpenListener } from '#dialects/relay.ts'
import { systemClock } from '#system/clock.ts'
import type { Clock } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import type { PortRange } from '#values/port-range.ts'
import { asOpen, type BoundListener, findBindings, hostOf, keyOf, poolOf } from './bindings.ts'
import { DescriptorLimits, type Descriptors, descriptorsNow } from './descriptors.ts'
import { RHYTHM, type Rhythm } from './heartbeats.ts'
import type { Listeners } from './listeners.ts'
import { type Binding, FIRST_WORKER, LIMIT, type NotOpened, type Order, USED } from './messages.ts'
import type { RelayEvent } from './relay-events.ts'
import { StickyClients } from './sticky-clients.ts'
import { type WorkerEvent, Workers } from './workers.ts'

// Wanted listeners → sockets in worker threads that hand clients to endpoints, and an event for all that goes wrong.

export interface RelayOptions {
  /** --proxy-port-range. */
  readonly portRange?: PortRange | 'any'
  /** --udp-timeout. */
  readonly udpIdleMs: number
  readonly report: (event: RelayEvent) => void
  /** Called when a listener has closed, or could not be opened: the lanes must read the relay again. */
  readonly lost: () => void
  /** Ports of listeners at an earlier start, by name: rules may still lead there. Called for each family until it has answered once. */
  readonly remembered?: (family: Family) => Promise<ReadonlyMap<string, number>>
  readonly workers?: number
  /** How long after a failure `lost` is called. */
  readonly lostMs?: number
  readonly program?: URL
  readonly measure?: () => Descriptors
  /** How soon a worker that hangs is noticed. */
  readonly rhythm?: Rhythm
  readonly clock?: Pick<Clock, 'sleep'>
}

/** More workers than that only share the same cores; with one alone, a crash would leave its ports to others for a moment. */
const MOST_WORKERS = 8
const FEWEST_WORKERS = 2
/** Between our look for a free port and the bind, another program may have taken it. */
const TRIES = 3
const LOST_MS = 5000

/** Beside the bundle lies a bundle of the workers; see build.ts. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker/worker.ts' : './relay-worker.js', import.meta.url)

const NOWHERE: ReadonlyMap<string, number> = new Map()

interface OpenOptions {
  readonly family: Family
  readonly wanted: readonly Listener[]
  /** The binding some of them had a moment ago. */
  readonly before: ReadonlyMap<string, Binding>
  readonly reserved: ReadonlyMap<string, number>
}

export class Relay implements Listeners {
  readonly #options: RelayOptions
  readonly #workers: Workers
  readonly #limits: DescriptorLimits
  readonly #open = new Map<string, BoundListener>()
  readonly #stickyClients = new StickyClients(() => Date.now())
  readonly #counters: Int32Array<SharedArrayBuffer>
  readonly #askedFamilies = new Set<Family>()
  #lost: NodeJS.Timeout | undefined

  constructor(options: RelayOptions) {
    const { workers = usualWorkers(), udpIdleMs, measure = descriptorsNow, report } = options
    const { clock = systemClock, rhythm = RHYTHM } = options
    this.#options = options
    this.#limits = new DescriptorLimits(measure(), workers)
    this.#counters = new Int32Array(new SharedArrayBuffer(4 * (FIRST_WORKER + workers)))
    const turns = new Int32Array(new SharedArrayBuffer(4 * 65_536))
    const pulses = new Int32Array(new SharedArrayBuffer(4 * workers))
    this.#workers = new Workers({
      size: workers,
      program: options.program ?? WORKER,
      start: { udpIdleMs, shared: { turns, pulses, descriptors: this.#counters } },
      ...{ clock, rhythm },
      catchUp: () => [...this.#open.values()].map(one => this.#opening(one)),
      hear: (message, from) => this.#hear(message, from),
      crashed: (worker, error) => this.#ended(worker, { what: 'crashed', worker, error }),
      hung: (worker, silentMs) => this.#ended(worker, { what: 'hung', worker, silentMs }),
      replaced: (worker, notOpened) => void this.#replaced(worker, notOpened),
    })
    this.#shareDescriptors()
    report({ what: 'ready', workers, limit: this.#limits.limit, connections: this.#limits.connectionsBeside(0) })
  }

  list(family: Family): readonly OpenListener[] {
    return [...this.#open.values()].filter(({ binding }) => binding.family === family).map(asOpen)
  }

  async open(family: Family, wanted: readonly Listener[]): Promise<void> {
    await this.#workers.ask(wanted.flatMap(({ name, pool }) => this.#repooled(keyOf(family, name), pool) ?? []))
    const before = await this.#leave(family, wanted)
    const fresh = wanted.filter(({ name }) => !this.#open.has(keyOf(family, name)))
    const reserved = await this.#remembered(family)
    await this.#openNew({ family, before, reserved, wanted: this.#affordable(fresh) }, TRIES)
    const isElsewhere = ([key, { port }]: readonly [string, Binding]): boolean =>
      this.#open.get(key)?.binding.port !== port
    if ([...before].some(isElsewhere)) this.#reportLost()
  }

  async close(family: Family, names: readonly string[]): Promise<readonly OpenListener[]> {
    const closed = names.flatMap(name => this.#open.get(keyOf(family, name)) ?? [])
    await this.#close(closed.map(({ key }) => key))
    return closed.map(asOpen)
  }

  /** Every connection ends. */
  async stop(): Promise<void> {
    clearTimeout(this.#lost)
    await this.#workers.close()
  }

  async #openNew({ wanted, ...opening }: OpenOptions, tries: number): Promise<void> {
    if (wanted.length === 0) return
    const { portRange: range = 'any' } = this.#options
    const { found, without } = await findBindings({ ...opening, wanted, range, open: this.#open.values() })
    this.#fail(without.map(name => ({ name, why: `no port is left in ${shown(range)}` })))
    for (const one of found) this.#set(one)
    this.#shareDescriptors()
    const notOpened = await this.#workers.ask(found.map(one => this.#opening(one)))
    const whys = new Map(notOpened.map(({ key, why }) => [key, why]))
    await this.#close([...whys.keys()])
    const failed = found.filter(({ key }) => whys.has(key))
    if (tries > 1) await this.#openNew({ ...opening, wanted: failed }, tries - 1)
    else this.#fail(failed.map(({ key, name }) => ({ name, why: whys.get(key)! })))
  }

  /** Once our rules stand, those of the earlier start are gone and its ports are free for every listener. */
  async #remembered(family: Family): Promise<ReadonlyMap<string, number>> {
    if (this.#askedFamilies.has(family)) return NOWHERE
    const ports = await this.#options.remembered?.(family)
    this.#askedFamilies.add(family)
    return ports ?? NOWHERE
  }

  /** Closes listeners whose address changes. Returns their bindings: rules lead to their ports. */
  async #leave(family: Family, wanted: readonly Listener[]): Promise<ReadonlyMap<string, Binding>> {
    const moving = wanted.flatMap(({ name, pool }) => {
      const listening = this.#open.get(keyOf(family, name))
      return listening !== undefined && listening.binding.host !== hostOf(family, pool) ? [listening] : []
    })
    await this.#close(moving.map(({ key }) => key))
    return new Map(moving.map(({ key, binding }) => [key, binding]))
  }

  async #close(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#open.delete(key)
      this.#stickyClients.forget(key)
    }
    await this.#workers.ask(keys.map(key => ({ do: 'close', key })))
    this.#shareDescriptors()
  }

  #set(listening: BoundListener): void {
    this.#open.set(listening.key, listening)
    const { name, endpoints } = listening
    this.#options.report({ what: 'endpoints', name, endpoints: endpoints.endpoints.map(({ text }) => text) })
  }

  #opening({ key, binding, endpoints }: BoundListener): Order {
    return { do: 'open', key, binding, pool: endpoints, stickyClients: this.#stickyClients.of(key) }
  }

  #repooled(key: string, pool: string): Order | undefined {
    const before = this.#open.get(key)
    if (before === undefined || before.pool === pool || before.binding.host !== hostOf(before.binding.family, pool))
      return undefined
    const endpoints = poolOf(pool)
    this.#set({ ...before, pool, endpoints })
    return { do: 'pool', key, pool: endpoints }
  }

  /** As many of them as there are descriptors for. */
  #affordable(wanted: readonly Listener[]): readonly Listener[] {
    const left = Math.max(0, this.#limits.listeners - this.#open.size)
    const why = `this process may have ${this.#limits.limit} files open (ulimit -n), too few for so many service ports`
    this.#fail(wanted.slice(left).map(({ name }) => ({ name, why })))
    return wanted.slice(0, left)
  }

  #shareDescriptors(): void {
    Atomics.store(this.#counters, LIMIT, this.#limits.beside(this.#open.size))
  }

  #fail(failures: readonly { readonly name: string; readonly why: string }[]): void {
    if (failures.length === 0) return
    for (const failure of failures) this.#options.report({ what: 'not opened', ...failure })
    this.#reportLost()
  }

  #reportLost(): void {
    this.#lost ??= setTimeout(() => {
      this.#lost = undefined
      this.#options.lost()
    }, this.#options.lostMs ?? LOST_MS)
  }

  #hear(event: WorkerEvent, from: number): void {
    const { report } = this.#options
    if (event.say === 'full') {
      const connections = this.#limits.connectionsBeside(this.#open.size)
      report({ what: 'full', refused: event.refused, limit: this.#limits.limit, connections })
      return
    }
    const listening = this.#open.get(event.key)
    if (listening === undefined) return
    if (event.say === 'unreachable') report({ what: 'unreachable', name: listening.name, client: event.client })
    else {
      this.#stickyClients.put(event.key, event.stickyClient, listening.endpoints.stickySeconds ?? 0)
      this.#workers.share(event, from)
    }
  }

  /** The connections of the worker are gone: their descriptors are free again. */
  #ended(worker: number, event: RelayEvent): void {
    Atomics.sub(this.#counters, USED, Atomics.exchange(this.#counters, FIRST_WORKER + worker, 0))
    this.#options.report(event)
  }

  async #replaced(worker: number, notOpened: readonly NotOpened[]): Promise<void> {
    this.#options.report({ what: 'replaced', worker, listeners: this.#open.size - notOpened.length })
    const failed = notOpened.flatMap(({ key, why }) => {
      const listening = this.#open.get(key)
      return listening === undefined ? [] : [{ name: listening.name, why }]
    })
    await this.#close(notOpened.map(({ key }) => key))
    this.#fail(failed)
  }
}

function usualWorkers(): number {
  return Math.max(FEWEST_WORKERS, Math.min(availableParallelism(), MOST_WORKERS))
}

function shown(range: PortRange | 'any'): string {
  return range === 'any' ? 'the range the kernel chooses from' : `--proxy-port-range=${range.first}-${range.last}`
}
