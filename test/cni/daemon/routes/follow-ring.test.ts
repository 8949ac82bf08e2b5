import { describe, expect, test } from 'vitest'
import { followRing } from '#cni/daemon/routes/follow-ring.ts'
import { emptyRing, type Ring } from '#ipam/ring/ring.ts'
import { Refusal } from '#kubernetes/watch/failures.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { Cidr } from '#values/cidr.ts'
import { captureLog } from '../../../support/captured-log.ts'

const REFUSED = new Refusal({ code: 403, said: 'forbidden', via: 'status', retryAfterMs: 0 })

/** A stored ring and a watch of it, both answered at once. */
class StoredRings {
  readonly clock = new PaperClock()
  readonly captured = captureLog()
  readonly given: { readonly revision: number; readonly at: number }[] = []
  reads = 0
  ring: Ring | undefined
  isAway = false
  refusal: Error | undefined
  readonly #stop = new AbortController()
  #heard: (() => void) | undefined
  readonly #followed: Promise<void>

  constructor(ring?: Ring) {
    this.ring = ring
    this.#followed = followRing({
      store: {
        read: async () => {
          this.reads++
          if (this.isAway) throw new Error('away')
          return { ring: this.ring, version: this.#version }
        },
      },
      watch: version => this.#watch(version),
      give: ({ revision }) => void this.given.push({ revision, at: this.clock.now() }),
      ...{ clock: this.clock, random: () => 0.5, log: this.captured.log, signal: this.#stop.signal },
    })
  }

  get isWatched(): boolean {
    return this.#heard !== undefined
  }

  put(ring: Ring): void {
    this.ring = ring
    this.#heard?.()
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    this.#heard?.()
    await this.clock.advance(0)
    await this.#followed
  }

  get #version(): string {
    return this.ring === undefined ? '' : String(this.ring.revision)
  }

  async #watch(version: string): Promise<'changed' | 'ended'> {
    if (this.refusal !== undefined) throw this.refusal
    if (version !== this.#version) return 'changed'
    await new Promise<void>(resolve => {
      this.#heard = resolve
    })
    this.#heard = undefined
    return 'changed'
  }
}

function ringOf(revision: number, nodes = 2): Ring {
  const peers = Array.from({ length: nodes }, (_, i) => ({ name: `node-${i}`, uid: `uid-${i}` }))
  return { ...emptyRing('10.32.0.0/12' as Cidr), peers, revision }
}

describe('the stored ring', () => {
  test('is read when it changes, and not while it does not', async () => {
    const stored = new StoredRings()
    await stored.clock.advance(3_600_000)
    expect(stored.reads).toBe(1)
    const at = stored.clock.now()
    stored.put(ringOf(1))
    await stored.clock.advance(10)
    expect(stored.given).toEqual([{ revision: 1, at }])
    await stored.clock.advance(3_600_000)
    stored.put(ringOf(2))
    await stored.clock.advance(10)
    expect(stored.given.map(({ revision }) => revision)).toEqual([1, 2])
    expect(stored.reads).toBe(3)
    await stored.stop()
  })

  test('is missed in no state it stays in, however many changes come at once', async () => {
    const stored = new StoredRings(ringOf(1))
    await stored.clock.advance(1000)
    for (const revision of [2, 3, 4]) stored.put(ringOf(revision))
    await stored.clock.advance(20)
    for (const revision of [5, 6]) stored.put(ringOf(revision))
    await stored.clock.advance(200)
    expect(stored.given.map(({ revision }) => revision)).toEqual([1, 4, 6])
    await stored.stop()
  })

  test('is read by five thousand nodes over ten seconds, and by each of them at most every ten', async () => {
    const stored = new StoredRings(ringOf(1, 5000))
    await stored.clock.advance(60_000)
    const from = stored.clock.now()
    stored.put(ringOf(2, 5000))
    await stored.clock.advance(5000)
    expect(stored.given.at(-1)).toEqual({ revision: 2, at: from + 5000 })
    stored.put(ringOf(3, 5000))
    await stored.clock.advance(10_000)
    expect(stored.given.at(-1)?.revision).toBe(2)
    await stored.clock.advance(10_000)
    expect(stored.given.at(-1)?.revision).toBe(3)
    await stored.stop()
  })

  test('is read every ten seconds where it must not be watched, which is said once', async () => {
    const stored = new StoredRings(ringOf(1))
    stored.refusal = REFUSED
    await stored.clock.advance(60_000)
    const before = stored.reads
    await stored.clock.advance(100_000)
    expect(stored.reads - before).toBe(10)
    expect(stored.captured.lines).toEqual([
      '"The ring cannot be watched" err="the API server answered 403: forbidden" next="it is read every 10s, and routes come so much later"',
    ])
    stored.refusal = undefined
    await stored.clock.advance(20_000)
    expect(stored.isWatched).toBe(true)
    await stored.stop()
  })

  test('is asked for again, less and less often, while the API server is away, and watched when it is back', async () => {
    const stored = new StoredRings(ringOf(1))
    await stored.clock.advance(1000)
    stored.isAway = true
    stored.put(ringOf(2))
    await stored.clock.advance(60_000)
    expect(stored.reads).toBeLessThan(12)
    expect(stored.captured.lines).toEqual(['"The ring cannot be read" err="away" next="routes stay as they are"'])
    stored.isAway = false
    await stored.clock.advance(10_100)
    expect(stored.given.map(({ revision }) => revision)).toEqual([1, 2])
    expect(stored.isWatched).toBe(true)
    await stored.stop()
  })
})
