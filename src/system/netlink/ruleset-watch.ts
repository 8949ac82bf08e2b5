import type { Clock, Commit, CommitListener, RulesetDump, RulesetWatch, Stop } from '#system/ports.ts'
import { NETFILTER } from './nfnetlink.ts'
import { NFTABLES_GROUP, RulesetListener } from './ruleset-listener.ts'
import { RulesetReader } from './ruleset-reader.ts'
import { type NetlinkSocket, openNetlink } from './socket.ts'

// The kernel's own messages about its ruleset → a RulesetWatch: no process, nothing read to begin with, and every commit
// has been heard once `hear` returns.

export interface NetlinkWatchOptions {
  readonly clock: Clock
  /** Another network namespace, by path. */
  readonly namespace?: string
  /** A test makes it small, so that it overflows. */
  readonly receiveBytes?: number
}

/**
 * A socket of its own wakes us at the first message of a commit. Where there can be none, a foreign change may go unheard for so
 * long. To wake up costs 0.1 ms: twenty times a second, 0.2 % of a core.
 */
const QUIET_POLL_MS = 250
/** All that comes while we are awake is heard at the other socket. */
const BELL_BYTES = 4096
/** While commits come one after another, such as our own first rules: the kernel keeps only so many messages for us. */
const BUSY_POLL_MS = 50

export class NetlinkWatch implements RulesetWatch {
  readonly delivery = 'exact'
  readonly #parts: NetlinkWatchParts
  readonly #listeners = new Set<CommitListener>()
  #open: Open | undefined

  constructor(parts: NetlinkWatchParts) {
    this.#parts = parts
  }

  /** Undefined where netlink cannot be had, or the kernel has no nftables. */
  static open({ clock, ...options }: NetlinkWatchOptions): NetlinkWatch | undefined {
    const parts = { clock, sockets: () => sockets(options) }
    const tried = opened(parts)
    if (tried === undefined) return undefined
    close(tried)
    return new NetlinkWatch(parts)
  }

  get isListening(): boolean {
    return this.#open !== undefined
  }

  listen(listener: CommitListener): Stop {
    this.#listeners.add(listener)
    if (this.#open === undefined) this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0) this.#close()
    }
  }

  hear(): void {
    this.#hear()
  }

  /** Whether there was anything. */
  #hear(): boolean {
    const open = this.#open
    if (open === undefined) return false
    let heard: ReturnType<RulesetListener['hear']>
    let last: number
    try {
      heard = open.ears.hear()
      last = heard.gap ? open.eyes.generation() : open.generation
    } catch {
      // The sockets are of no more use. Lanes read the kernel every sync period from now on.
      this.#close()
      this.#gap()
      return true
    }
    for (const commit of heard.commits) this.#take(open, commit)
    if (heard.gap) {
      open.generation = last
      open.heardAny = false
      this.#gap()
    }
    return heard.gap || heard.commits.length > 0
  }

  generation(): number | undefined {
    this.hear()
    try {
      const last = this.#open?.eyes.generation()
      return last === this.#open?.generation ? last : undefined
    } catch {
      return undefined
    }
  }

  namespace(): string | undefined {
    return this.#open?.eyes.namespaceCookie()
  }

  dump(): RulesetDump | undefined {
    return this.#open?.eyes
  }

  /** Commits follow each other without a gap, so a number that is left out is a commit that was not heard. */
  #take(open: Open, commit: Commit): void {
    const isNext = !open.heardAny || commit.generation === followingGeneration(open.generation)
    open.heardAny = true
    open.generation = commit.generation
    for (const listener of this.#listeners) listener.commit(commit)
    if (!isNext) this.#gap()
  }

  #gap(): void {
    for (const listener of this.#listeners) listener.gap()
  }

  #start(): void {
    const open = opened(this.#parts)
    this.#open = open
    if (open !== undefined) void this.#poll(open)
  }

  async #poll(open: Open): Promise<void> {
    const { clock } = this.#parts
    const { signal } = open.ended
    for (let [isBusy, hasBell] = [false, true]; !signal.aborted; ) {
      if (isBusy || !hasBell) await clock.sleep(isBusy ? BUSY_POLL_MS : QUIET_POLL_MS, signal)
      else hasBell = (await open.bell?.arrival()) !== 'broken' && open.bell !== undefined
      if (this.#open === open) isBusy = this.#hear()
    }
  }

  #close(): void {
    if (this.#open !== undefined) close(this.#open)
    this.#open = undefined
  }
}

export interface NetlinkWatchParts {
  readonly clock: Clock
  readonly sockets: () => WatchSockets | undefined
}

export interface WatchSockets {
  readonly ears: RulesetListener
  readonly eyes: RulesetReader
  readonly bell: NetlinkSocket | undefined
}

interface Open extends WatchSockets {
  readonly ended: AbortController
  /** Of the last commit heard; before the first, of the last one made. */
  generation: number
  /** False at the start and behind a gap: a commit made at that moment is heard, and counted in `generation` as well. */
  heardAny: boolean
}

function opened({ sockets }: NetlinkWatchParts): Open | undefined {
  const three = sockets()
  if (three === undefined) return undefined
  const open = { ...three, ended: new AbortController(), heardAny: false }
  try {
    return { ...open, generation: three.eyes.generation() }
  } catch {
    close(open)
    return undefined
  }
}

function sockets({ namespace, receiveBytes }: Omit<NetlinkWatchOptions, 'clock'>): WatchSockets | undefined {
  const where = namespace === undefined ? {} : { namespace }
  const size = receiveBytes === undefined ? {} : { receiveBytes }
  const ears = RulesetListener.open({ ...where, ...size, concerns: family => family !== 'other' })
  const eyes = ears && RulesetReader.open(namespace)
  if (ears === undefined || eyes === undefined) {
    ears?.close()
    return undefined
  }
  return { ears, eyes, bell: openBell(where) }
}

function openBell(where: { readonly namespace?: string }): NetlinkSocket | undefined {
  const room = { receiveBytes: BELL_BYTES, readBytes: READ_BYTES }
  return openNetlink({ protocol: NETFILTER, groups: NFTABLES_GROUP, waitMs: QUIET_POLL_MS, ...room, ...where })
}

/** A longer message is cut off, and not missed. */
const READ_BYTES = 1024

function close({ ears, eyes, bell, ended }: Omit<Open, 'generation'>): void {
  ended.abort()
  bell?.close()
  ears.close()
  eyes.close()
}

/** 32 bits, and never 0: so the kernel counts. */
export function followingGeneration(generation: number): number {
  return generation === 0xffff_ffff ? 1 : generation + 1
}
