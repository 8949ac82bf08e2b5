import { availableParallelism } from 'node:os'
import type { Family } from '#values/address.ts'
import type { PortRange } from '#values/port-range.ts'
import { asOpen, findSpots, hostOf, keyOf, type Listening, poolOf } from './bindings.ts'
import { type Descriptors, descriptorsNow, Room } from './descriptors.ts'
import type { Listeners, Open, Wanted } from './listeners.ts'
import { FIRST_WORKER, LIMIT, type NotOpened, type Order, type Spot, USED } from './messages.ts'
import type { RelayEvent } from './relay-events.ts'
import { Memories } from './sticky-clients.ts'
import { Crew, type Word } from './workers.ts'

// Wanted listeners → sockets in worker threads that hand clients to endpoints, and word of all that goes wrong.

export interface RelayOptions {
  /** --proxy-port-range. */
  readonly portRange?: PortRange | 'any'
  /** --udp-timeout. */
  readonly udpIdleMs: number
  readonly tell: (news: RelayEvent) => void
  /** What was open is not any more, or what was wanted is not open: whoever believes it is should look again. */
  readonly lost: () => void
  /** Where listeners stood at an earlier start, by name: rules may still lead there. Asked once for each family. */
  readonly remembered?: (family: Family) => Promise<ReadonlyMap<string, number>>
  readonly workers?: number
  /** How long after a failure `lost` is called. */
  readonly lostMs?: number
  readonly program?: URL
  readonly measure?: () => Descriptors
}

/** More workers than that only share the same cores; with one alone, a crash would leave its ports to others for a moment. */
const MOST_WORKERS = 8
const FEWEST_WORKERS = 2
/** Between our looking for a free port and our taking it, somebody else may have taken it. */
const TRIES = 3
const LOST_MS = 5000

/** Beside the bundle lies a bundle of the workers; see build.ts. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker/worker.ts' : './relay-worker.js', import.meta.url)

const NOWHERE: ReadonlyMap<string, number> = new Map()

interface Opening {
  readonly family: Family
  readonly wanted: readonly Wanted[]
  /** Where some of them listened a moment ago. */
  readonly before: ReadonlyMap<string, Spot>
  readonly reserved: ReadonlyMap<string, number>
}

export class Relay implements Listeners {
  readonly #options: RelayOptions
  readonly #crew: Crew
  readonly #room: Room
  readonly #open = new Map<string, Listening>()
  readonly #memories = new Memories(() => Date.now())
  readonly #descriptors: Int32Array<SharedArrayBuffer>
  readonly #invocation = new Set<Family>()
  #lost: NodeJS.Timeout | undefined

  constructor(options: RelayOptions) {
    const { workers = usualWorkers(), udpIdleMs, measure = descriptorsNow, tell } = options
    this.#options = options
    this.#room = new Room(measure(), workers)
    this.#descriptors = new Int32Array(new SharedArrayBuffer(4 * (FIRST_WORKER + workers)))
    const turns = new Int32Array(new SharedArrayBuffer(4 * 65_536))
    this.#crew = new Crew({
      size: workers,
      program: options.program ?? WORKER,
      start: { udpIdleMs, shared: { turns, descriptors: this.#descriptors } },
      catchUp: () => [...this.#open.values()].map(one => this.#opening(one)),
      hear: (message, from) => this.#hear(message, from),
      crashed: (worker, error) => this.#crashed(worker, error),
      replaced: (worker, notOpened) => void this.#replaced(worker, notOpened),
    })
    this.#makeRoom()
    tell({ what: 'ready', workers, limit: this.#room.limit, connections: this.#room.connectionsBeside(0) })
  }

  list(family: Family): readonly Open[] {
    return [...this.#open.values()].filter(({ spot }) => spot.family === family).map(asOpen)
  }

  async open(family: Family, wanted: readonly Wanted[]): Promise<void> {
    await this.#crew.ask(wanted.flatMap(({ name, pool }) => this.#repooled(keyOf(family, name), pool) ?? []))
    const before = await this.#leave(family, wanted)
    const fresh = wanted.filter(({ name }) => !this.#open.has(keyOf(family, name)))
    const reserved = await this.#remembered(family)
    await this.#openNew({ family, before, reserved, wanted: this.#affordable(fresh) }, TRIES)
    const isElsewhere = ([key, { port }]: readonly [string, Spot]): boolean => this.#open.get(key)?.spot.port !== port
    if ([...before].some(isElsewhere)) this.#look()
  }

  async close(family: Family, names: readonly string[]): Promise<readonly Open[]> {
    const closed = names.flatMap(name => this.#open.get(keyOf(family, name)) ?? [])
    await this.#close(closed.map(({ key }) => key))
    return closed.map(asOpen)
  }

  /** Every connection ends. */
  async stop(): Promise<void> {
    clearTimeout(this.#lost)
    await this.#crew.close()
  }

  async #openNew({ wanted, ...opening }: Opening, tries: number): Promise<void> {
    if (wanted.length === 0) return
    const { portRange: range = 'any' } = this.#options
    const { found, without } = await findSpots({ ...opening, wanted, range, open: this.#open.values() })
    this.#fail(without.map(name => ({ name, why: `no port is left in ${shown(range)}` })))
    for (const one of found) this.#set(one)
    this.#makeRoom()
    const notOpened = await this.#crew.ask(found.map(one => this.#opening(one)))
    const whys = new Map(notOpened.map(({ key, why }) => [key, why]))
    await this.#close([...whys.keys()])
    const failed = found.filter(({ key }) => whys.has(key))
    if (tries > 1) await this.#openNew({ ...opening, wanted: failed }, tries - 1)
    else this.#fail(failed.map(({ key, name }) => ({ name, why: whys.get(key)! })))
  }

  /** Once rules stand that lead to us, no port belongs to anybody else. */
  async #remembered(family: Family): Promise<ReadonlyMap<string, number>> {
    if (this.#invocation.has(family)) return NOWHERE
    this.#invocation.add(family)
    return (await this.#options.remembered?.(family)) ?? NOWHERE
  }

  /** Closes what is to listen at another address from now on, and tells where it was: rules lead to its port. */
  async #leave(family: Family, wanted: readonly Wanted[]): Promise<ReadonlyMap<string, Spot>> {
    const moving = wanted.flatMap(({ name, pool }) => {
      const listening = this.#open.get(keyOf(family, name))
      return listening !== undefined && listening.spot.host !== hostOf(family, pool) ? [listening] : []
    })
    await this.#close(moving.map(({ key }) => key))
    return new Map(moving.map(({ key, spot }) => [key, spot]))
  }

  async #close(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#open.delete(key)
      this.#memories.forget(key)
    }
    await this.#crew.ask(keys.map(key => ({ do: 'close', key })))
    this.#makeRoom()
  }

  #set(listening: Listening): void {
    this.#open.set(listening.key, listening)
    const { name, endpoints } = listening
    this.#options.tell({ what: 'endpoints', name, endpoints: endpoints.endpoints.map(({ text }) => text) })
  }

  #opening({ key, spot, endpoints }: Listening): Order {
    return { do: 'open', key, spot, pool: endpoints, memories: this.#memories.of(key) }
  }

  #repooled(key: string, pool: string): Order | undefined {
    const before = this.#open.get(key)
    if (before === undefined || before.pool === pool || before.spot.host !== hostOf(before.spot.family, pool))
      return undefined
    const endpoints = poolOf(pool)
    this.#set({ ...before, pool, endpoints })
    return { do: 'pool', key, pool: endpoints }
  }

  /** As many as there are descriptors for. */
  #affordable(wanted: readonly Wanted[]): readonly Wanted[] {
    const room = Math.max(0, this.#room.listeners - this.#open.size)
    const why = `this process may have ${this.#room.limit} files open (ulimit -n), too few for so many service ports`
    this.#fail(wanted.slice(room).map(({ name }) => ({ name, why })))
    return wanted.slice(0, room)
  }

  #makeRoom(): void {
    Atomics.store(this.#descriptors, LIMIT, this.#room.beside(this.#open.size))
  }

  #fail(failures: readonly { readonly name: string; readonly why: string }[]): void {
    if (failures.length === 0) return
    for (const failure of failures) this.#options.tell({ what: 'not opened', ...failure })
    this.#look()
  }

  #look(): void {
    this.#lost ??= setTimeout(() => {
      this.#lost = undefined
      this.#options.lost()
    }, this.#options.lostMs ?? LOST_MS)
  }

  #hear(word: Word, from: number): void {
    const { tell } = this.#options
    if (word.say === 'full') {
      const connections = this.#room.connectionsBeside(this.#open.size)
      tell({ what: 'full', refused: word.refused, limit: this.#room.limit, connections })
      return
    }
    const listening = this.#open.get(word.key)
    if (listening === undefined) return
    if (word.say === 'unreachable') tell({ what: 'unreachable', name: listening.name, client: word.client })
    else {
      this.#memories.put(word.key, word.memory, listening.endpoints.stickySeconds ?? 0)
      this.#crew.tell(word, from)
    }
  }

  /** Its connections are gone, and what they took with them. */
  #crashed(worker: number, error: Error): void {
    Atomics.sub(this.#descriptors, USED, Atomics.exchange(this.#descriptors, FIRST_WORKER + worker, 0))
    this.#options.tell({ what: 'crashed', worker, error })
  }

  async #replaced(worker: number, notOpened: readonly NotOpened[]): Promise<void> {
    this.#options.tell({ what: 'replaced', worker, listeners: this.#open.size - notOpened.length })
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
