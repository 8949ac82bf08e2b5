import type { AddressStretch, MyRanges, RangeSource, RangesChange } from '#ipam/sources/range-source.ts'
import type { Clock } from '#system/ports.ts'

// A source → ranges that are up to date, grow before they run full, and go back when they are idle. Pods get addresses from
// what the database has, so nothing waits for it.

export interface RangeKeeperParts {
  readonly source: RangeSource
  /** Of all addresses of this node's ranges. */
  readonly room: (mine: MyRanges) => Promise<Room>
  readonly reports: KeeperReports
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly limits?: Partial<KeeperLimits>
}

export interface Room {
  readonly free: bigint
  readonly size: bigint
}

export interface KeeperReports {
  /** After each look at the source, also where there is no change. */
  looked(change: RangesChange, mine: MyRanges): Promise<void>
  asked(room: Room): void
  gaveBack(ranges: readonly AddressStretch[]): void
  failed(error: unknown, againMs: number): void
}

export interface KeeperLimits {
  /** How often this node is looked at. */
  readonly tickMs: number
  /** How often the source is asked, without and with something to wait for. */
  readonly lookMs: number
  readonly waitingMs: number
  readonly mostRetryMs: number
  readonly takeBackMs: number
}

export const KEEPER_LIMITS: KeeperLimits = {
  tickMs: 1000,
  lookMs: 10_000,
  waitingMs: 2000,
  mostRetryMs: 30_000,
  takeBackMs: 60_000,
}

/** Fewer free addresses than this, or than a quarter of a small range, and more are asked for. */
const SHORT = 16n
const ASKED = 64

export class RangeKeeper {
  readonly #parts: RangeKeeperParts
  readonly #limits: KeeperLimits
  #lookAt = 0
  #takeBackAt = 0
  #failures = 0
  #isWaiting = false

  constructor(parts: RangeKeeperParts) {
    this.#parts = parts
    this.#limits = { ...KEEPER_LIMITS, ...parts.limits }
  }

  /** Resolves when the signal has aborted, and what was under way is done. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#parts
    while (!signal.aborted) {
      await this.tick()
      await clock.sleep(this.#limits.tickMs, signal)
    }
  }

  async tick(): Promise<void> {
    const { clock, random, reports } = this.#parts
    const now = clock.now()
    const isShort = await this.#isShort().catch(() => false)
    // What runs full in between is not left for the next look.
    if (now < this.#lookAt && !(isShort && !this.#isWaiting && this.#failures === 0)) return
    try {
      await this.#look()
      this.#failures = 0
      const { lookMs, waitingMs } = this.#limits
      this.#lookAt = clock.now() + (this.#isWaiting ? waitingMs : lookMs) * (0.5 + random())
    } catch (error) {
      const againMs = Math.min(this.#limits.mostRetryMs, 1000 * 2 ** this.#failures++) * (0.5 + random() / 2)
      this.#lookAt = clock.now() + againMs
      reports.failed(error, againMs)
    }
  }

  async #look(): Promise<void> {
    const { source, reports, clock, room } = this.#parts
    const change = await source.refresh()
    await reports.looked(change, source.mine())
    const isShort = await this.#isShort()
    const wasWaiting = this.#isWaiting
    this.#isWaiting = source.mine().sets.length === 0
    if (isShort && (await source.more(ASKED)) === 'asked') {
      if (!wasWaiting && source.mine().sets.length > 0) reports.asked(await room(source.mine()))
      this.#isWaiting = true
    } else if (clock.now() >= this.#takeBackAt) {
      this.#takeBackAt = clock.now() + this.#limits.takeBackMs
      const given = await source.takeBack()
      if (given.length > 0) reports.gaveBack(given)
    }
  }

  async #isShort(): Promise<boolean> {
    const { source, room } = this.#parts
    if (source.name !== 'ring') return false
    const { free, size } = await room(source.mine())
    return free <= (size / 4n < SHORT ? size / 4n : SHORT)
  }
}
