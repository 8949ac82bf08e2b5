import { beforeEach, describe, expect, test } from 'vitest'
import { RangeKeeper, type Room } from '#cni/daemon/ranges/range-keeper.ts'
import { type AddressStretch, NO_CHANGE, type RangeSource } from '#ipam/sources/range-source.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { address, setOf } from '../../../support/leases.ts'

// One keeper over a source of paper; whole clusters of them are in ipam/sources.

const STRETCH: AddressStretch = { first: address('10.32.0.0'), last: address('10.32.0.63') }

class Kept {
  readonly clock = new PaperClock(1_000_000)
  readonly looks: number[] = []
  readonly mores: number[] = []
  readonly said: string[] = []
  room: Room = { free: 200n, size: 256n }
  hasRange = true
  isAway = false
  idle: readonly AddressStretch[] = []
  readonly #stop = new AbortController()
  readonly #run: Promise<void>

  constructor(name: RangeSource['name'] = 'ring') {
    const since = this.clock.now()
    const at = () => (this.clock.now() - since) / 1000
    const keeper = new RangeKeeper({
      source: {
        name,
        mine: () => (this.hasRange ? { sets: [setOf('10.32.0.0/24')], why: '' } : { sets: [], why: 'no peer yet' }),
        refresh: async () => {
          this.looks.push(at())
          if (this.isAway) throw new Error('away')
          return NO_CHANGE
        },
        more: async addresses => {
          this.mores.push(addresses)
          return 'asked'
        },
        takeBack: async () => this.idle,
      },
      room: async () => this.room,
      reports: {
        looked: async () => {},
        asked: ({ free }) => void this.said.push(`asked with ${free} free`),
        gaveBack: ranges => void this.said.push(`gave back ${ranges.length}`),
        failed: (error, againMs) => void this.said.push(`${(error as Error).message}, again in ${againMs}`),
      },
      ...{ clock: this.clock, random: () => 0.5 },
    })
    this.#run = keeper.run(this.#stop.signal)
  }

  async seconds(count: number): Promise<void> {
    await this.clock.advance(count * 1000)
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#run
    expect(this.clock.sleepers).toBe(0)
  }
}

let kept: Kept
beforeEach(() => {
  kept = new Kept()
})

describe('a keeper', () => {
  test('looks each ten seconds where there is enough', async () => {
    await kept.seconds(45)
    expect([kept.looks, kept.mores]).toEqual([[0, 10, 20, 30, 40], []])
    await kept.stop()
  })

  test('asks as soon as it is short, once, and looks more often until there is more', async () => {
    await kept.seconds(3)
    kept.room = { free: 16n, size: 256n }
    await kept.seconds(6)
    expect([kept.looks, kept.said]).toEqual([[0, 4, 6, 8], ['asked with 16 free']])
    kept.room = { free: 80n, size: 320n }
    await kept.seconds(20)
    expect(kept.looks.slice(4)).toEqual([10, 20])
    kept.room = { free: 2n, size: 320n }
    await kept.seconds(2)
    expect(kept.said).toEqual(['asked with 16 free', 'asked with 2 free'])
    expect(new Set(kept.mores)).toEqual(new Set([64]))
    await kept.stop()
  })

  test.each<[bigint, bigint, boolean]>([
    [16n, 1024n, true],
    [17n, 1024n, false],
    [3n, 12n, true],
    [4n, 12n, false],
    [0n, 3n, true],
    [1n, 3n, false],
    [0n, 0n, true],
  ])('with %i free of %i is short: %s', async (free, size, isShort) => {
    kept.room = { free, size }
    await kept.seconds(11)
    expect(kept.mores.length > 0).toBe(isShort)
    await kept.stop()
  })

  test('without a range asks and waits, and says nothing of how many are free', async () => {
    await kept.stop()
    kept = new Kept()
    kept.hasRange = false
    kept.room = { free: 0n, size: 0n }
    await kept.seconds(4)
    expect([kept.looks, kept.said]).toEqual([[0, 2, 4], []])
    await kept.stop()
  })

  test('of another source is never short', async () => {
    await kept.stop()
    kept = new Kept('node')
    kept.room = { free: 0n, size: 10n }
    await kept.seconds(25)
    expect([kept.looks, kept.mores]).toEqual([[0, 10, 20], []])
    await kept.stop()
  })

  test('gives back each minute at most, and nothing while it is short', async () => {
    kept.idle = [STRETCH]
    await kept.seconds(119)
    expect(kept.said).toEqual(['gave back 1'])
    kept.room = { free: 0n, size: 64n }
    await kept.seconds(120)
    expect(kept.said).toEqual(['gave back 1', 'asked with 0 free'])
    kept.room = { free: 64n, size: 64n }
    await kept.seconds(3)
    expect(kept.said.at(-1)).toBe('gave back 1')
    await kept.stop()
  })

  test('tries again less and less often while the source is away, also where it is short', async () => {
    kept.isAway = true
    kept.room = { free: 0n, size: 64n }
    await kept.seconds(300)
    const pauses = kept.said.map(said => Number(said.split('again in ')[1]))
    expect(pauses.slice(0, 6)).toEqual([750, 1500, 3000, 6000, 12_000, 22_500])
    expect(Math.max(...pauses)).toBe(22_500)
    expect(kept.looks.slice(0, 6)).toEqual([0, 1, 2, 4, 7, 13])
    kept.isAway = false
    await kept.seconds(30)
    kept.said.length = 0
    kept.isAway = true
    await kept.seconds(10)
    expect(kept.said[0]).toBe('away, again in 750')
    await kept.stop()
  })
})

test('room that cannot be counted is no reason to stop looking', async () => {
  Object.defineProperty(kept, 'room', { get: () => Promise.reject(new Error('the database is damaged')) })
  await kept.seconds(10)
  expect(kept.said).toEqual([expect.stringContaining('the database is damaged, again in')])
  await kept.stop()
})
