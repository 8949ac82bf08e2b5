import type { Clock } from '#system/ports.ts'
import type { LeaseObject, LeaseTerm, StoredLease } from './lease.ts'

// A Lease → work that is done while this process holds it, as Kubernetes' own controllers elect their leaders: two clocks are
// never compared, a Lease is free when its text has not changed for as long as it says. A process that was stopped for a while
// may believe that it leads: what it writes must be safe by itself.

export interface LeadershipParts {
  readonly lease: Pick<LeaseObject, 'read' | 'write'>
  /** Of this process alone. */
  readonly identity: string
  readonly periods: LeadershipPeriods
  readonly clock: Clock
  /** From 0 up to 1. */
  readonly random: () => number
  readonly onChange: (change: LeadershipChange) => void
}

export interface LeadershipPeriods {
  readonly leaseMs: number
  /** A leader that could not renew for this long stops. */
  readonly renewMs: number
  readonly retryMs: number
}

export type LeadershipChange =
  | { readonly what: 'leading' | 'stopped' | 'released' }
  | { readonly what: 'waiting'; readonly holder: string }
  | { readonly what: 'failed'; readonly error: unknown; readonly leads: 'yes' | 'no' }

/** The pause of one who waits is longer by up to this much, so that those who wait do not ask all at once. */
const JITTER = 1.2

/** Only a renewal under way and a hand beside change a Lease that this process holds. */
const RELEASE_TRIES = 3

export class Leadership {
  readonly #parts: LeadershipParts
  #seen: { readonly stored: StoredLease; readonly at: number } | undefined
  #shownHolder: string | undefined

  constructor(parts: LeadershipParts) {
    this.#parts = parts
  }

  /**
   * Calls `work` each time the Lease is had, with a signal that aborts when it is lost. Resolves when `signal` has aborted and the
   * Lease is given back; rejects where `work` does.
   */
  async run(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { onChange } = this.#parts
    while (!signal.aborted) {
      const since = await this.#acquired(signal)
      if (since === undefined) return
      onChange({ what: 'leading' })
      const stop = new AbortController()
      const both = AbortSignal.any([stop.signal, signal])
      const working = work(both).finally(() => stop.abort())
      const isLost = (await this.#renewed(since, both)) === 'lost'
      stop.abort()
      await working.finally(() => (isLost ? undefined : this.#release()))
      if (isLost) onChange({ what: 'stopped' })
    }
  }

  /** Undefined where the signal aborted first; otherwise when the write began that was taken. */
  async #acquired(signal: AbortSignal): Promise<number | undefined> {
    const { clock, random, periods } = this.#parts
    while (!signal.aborted) {
      const at = clock.now()
      if (await this.#tried('no')) return at
      await clock.sleep(periods.retryMs * (1 + random() * JITTER), signal)
    }
    return undefined
  }

  /** `over`: the signal has aborted. */
  async #renewed(since: number, signal: AbortSignal): Promise<'lost' | 'over'> {
    const { clock, periods } = this.#parts
    for (let renewedAt = since; ; ) {
      await clock.sleep(periods.retryMs, signal)
      if (signal.aborted) return 'over'
      const at = clock.now()
      const over = new AbortController()
      const late = clock.sleep(Math.max(0, renewedAt + periods.renewMs - at), AbortSignal.any([over.signal, signal]))
      const isRenewed = await Promise.race([this.#tried('yes'), late.then(() => false)])
      over.abort()
      if (isRenewed) renewedAt = at
      else if (signal.aborted) return 'over'
      else if (this.#isAnothers() || clock.now() - renewedAt >= periods.renewMs) return 'lost'
    }
  }

  async #tried(leads: 'yes' | 'no'): Promise<boolean> {
    try {
      return await this.#takenOrRenewed()
    } catch (error) {
      this.#parts.onChange({ what: 'failed', error, leads })
      return false
    }
  }

  async #takenOrRenewed(): Promise<boolean> {
    const { lease, clock, identity, onChange } = this.#parts
    // A leader knows what is stored: it has written it.
    const known = this.#seen?.stored.term?.holder === identity ? this.#seen.stored : undefined
    const before = known ?? (await this.#read())
    if (!this.#isFree(before)) {
      const { holder } = before.term!
      if (holder !== this.#shownHolder) onChange({ what: 'waiting', holder })
      this.#shownHolder = holder
      return false
    }
    const written = await lease.write(this.#termAfter(before.term), before)
    if (written === 'conflict') {
      await this.#read()
      return false
    }
    this.#seen = { stored: written, at: clock.now() }
    this.#shownHolder = undefined
    return true
  }

  async #read(): Promise<StoredLease> {
    const stored = await this.#parts.lease.read()
    const isSame = this.#seen?.stored.version === stored.version
    if (!isSame) this.#seen = { stored, at: this.#parts.clock.now() }
    return stored
  }

  #isFree({ term }: StoredLease): boolean {
    if (term === undefined || term.holder === '' || term.holder === this.#parts.identity) return true
    return this.#parts.clock.now() - this.#seen!.at >= term.seconds * 1000
  }

  #isAnothers(): boolean {
    const holder = this.#seen?.stored.term?.holder
    return holder !== undefined && holder !== this.#parts.identity
  }

  #termAfter(before: LeaseTerm | undefined): LeaseTerm {
    const { identity: holder, clock, periods } = this.#parts
    const now = clock.now()
    const isOurs = before?.holder === holder
    return {
      holder,
      seconds: Math.ceil(periods.leaseMs / 1000),
      acquired: isOurs ? before.acquired : now,
      renewed: now,
      transitions: before === undefined ? 0 : isOurs ? before.transitions : before.transitions + 1,
    }
  }

  /** So that another need not wait until it ends by itself; where this fails, it ends by itself. */
  async #release(): Promise<void> {
    const { onChange } = this.#parts
    const last = this.#seen?.stored
    this.#seen = undefined
    try {
      if (await this.#givenBack(last)) onChange({ what: 'released' })
    } catch (error) {
      onChange({ what: 'failed', error, leads: 'no' })
    }
  }

  /** A renewal that was under way may have been stored since: then there is a newer version of it, still this process's. */
  async #givenBack(last: StoredLease | undefined): Promise<boolean> {
    const { lease, clock, identity } = this.#parts
    let before = last
    for (let i = 0; i < RELEASE_TRIES && before?.term?.holder === identity; i++) {
      const now = clock.now()
      const given = { ...before.term, holder: '', seconds: 1, acquired: now, renewed: now }
      if ((await lease.write(given, before)) !== 'conflict') return true
      before = await lease.read()
    }
    return false
  }
}
