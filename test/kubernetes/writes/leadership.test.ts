import { describe, expect, test } from 'vitest'
import { Leadership, type LeadershipChange } from '#kubernetes/writes/leadership.ts'
import type { LeaseTerm, StoredLease } from '#kubernetes/writes/lease.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { randomFrom } from '../../ipam/ring/paper-cluster.ts'

const PERIODS = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2000 }

/** A Lease on paper, whose requests may fail, or get no answer. */
class PaperLease {
  stored: StoredLease = { term: undefined, version: '' }
  #writes = 0

  write(term: LeaseTerm, before: StoredLease): StoredLease | 'conflict' {
    if (before.version !== this.stored.version) return 'conflict'
    this.stored = { term, version: String(++this.#writes) }
    return this.stored
  }
}

class Candidate {
  readonly changes: string[] = []
  readonly stop = new AbortController()
  works = false
  /** `unheard`: what is asked for is done, but the answer never comes. */
  answers: 'yes' | 'no' | 'never' | 'unheard' = 'yes'
  readonly ended: Promise<void>

  constructor(lease: PaperLease, clock: PaperClock, identity: string, random: () => number = () => 0) {
    const asked = async <T>(answer: () => T): Promise<T> => {
      if (this.answers === 'never') await new Promise(() => {})
      if (this.answers === 'no') throw new Error('away')
      const given = answer()
      if (this.answers === 'unheard') await new Promise(() => {})
      return given
    }
    const leadership = new Leadership({
      lease: {
        read: () => asked(() => lease.stored),
        write: (term, before) => asked(() => lease.write(term, before)),
      },
      ...{ identity, clock, random, periods: PERIODS },
      onChange: change => this.changes.push(shown(change)),
    })
    this.ended = leadership.run(async signal => {
      this.works = true
      await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
      this.works = false
    }, this.stop.signal)
  }
}

function shown(change: LeadershipChange): string {
  return change.what === 'waiting' ? `waiting for ${change.holder}` : change.what
}

function pair() {
  const [clock, lease] = [new PaperClock(1_000_000), new PaperLease()]
  return { clock, lease, a: new Candidate(lease, clock, 'a'), start: (id: string) => new Candidate(lease, clock, id) }
}

describe('a Lease', () => {
  test('is had by one, renewed, and given back when it stops; the other has it within a retry', async () => {
    const { clock, lease, a, start } = pair()
    await clock.advance(0)
    expect([a.works, lease.stored.term]).toMatchObject([true, { holder: 'a', seconds: 15, transitions: 0 }])
    const b = start('b')
    await clock.advance(60_000)
    expect([a.works, b.works, b.changes]).toEqual([true, false, ['waiting for a']])
    expect(lease.stored.term).toMatchObject({ acquired: 1_000_000, renewed: 1_060_000 })
    a.stop.abort()
    await clock.advance(0)
    await a.ended
    expect(lease.stored.term).toMatchObject({ holder: '', seconds: 1 })
    await clock.advance(2000)
    expect([a.works, b.works]).toEqual([false, true])
    expect(lease.stored.term).toMatchObject({ holder: 'b', transitions: 1 })
    expect([a.changes, b.changes]).toEqual([
      ['leading', 'released'],
      ['waiting for a', 'leading'],
    ])
    b.stop.abort()
    await clock.advance(0)
    expect(clock.sleepers).toBe(0)
  })

  test.each(['no', 'never'] as const)('whose holder gets %s answer: it stops before another begins', async answers => {
    const { clock, a, start } = pair()
    await clock.advance(0)
    const b = start('b')
    await clock.advance(20_000)
    a.answers = answers
    await clock.advance(9999)
    expect([a.works, b.works]).toEqual([true, false])
    await clock.advance(2001)
    expect([a.works, b.works]).toEqual([false, false])
    await clock.advance(7000)
    expect([a.works, b.works]).toEqual([false, true])
    expect(a.changes).toContain('stopped')
    a.answers = 'yes'
    await clock.advance(4000)
    expect(a.works).toBe(false)
  })

  test('that was taken by another program: the holder stops at its next renewal', async () => {
    const { clock, lease, a } = pair()
    await clock.advance(0)
    lease.write({ ...lease.stored.term!, holder: 'other' }, lease.stored)
    await clock.advance(2000)
    expect([a.works, a.changes]).toEqual([false, ['leading', 'stopped', 'waiting for other']])
  })

  test('that was changed beside, by kubectl for example, is renewed all the same', async () => {
    const { clock, lease, a } = pair()
    await clock.advance(0)
    for (let i = 0; i < 10; i++) {
      lease.write({ ...lease.stored.term! }, lease.stored)
      await clock.advance(4000)
    }
    expect([a.works, a.changes]).toEqual([true, ['leading']])
  })

  test('is given back by one that is stopped while it renews: whether the renewal is done is not known then', async () => {
    const { clock, lease, a, start } = pair()
    await clock.advance(0)
    const b = start('b')
    for (const answers of ['unheard', 'never'] as const) {
      const one = lease.stored.term?.holder === 'a' ? a : b
      one.answers = answers
      await clock.advance(2000)
      one.answers = 'yes'
      one.stop.abort()
      await clock.advance(0)
      await one.ended
      expect(lease.stored.term?.holder).toBe('')
      await clock.advance(2000)
    }
    expect([a.changes, b.changes]).toEqual([
      ['leading', 'released'],
      ['waiting for a', 'leading', 'released'],
    ])
  })

  test('is not taken back from another that has it, by one that is stopped while it renews', async () => {
    const { clock, lease, a } = pair()
    await clock.advance(0)
    a.answers = 'never'
    await clock.advance(2000)
    lease.write({ ...lease.stored.term!, holder: 'other' }, lease.stored)
    a.answers = 'yes'
    a.stop.abort()
    await clock.advance(0)
    await a.ended
    expect([lease.stored.term?.holder, a.changes]).toEqual(['other', ['leading']])
  })

  test('work that fails ends all, and gives it back', async () => {
    const [clock, lease] = [new PaperClock(), new PaperLease()]
    const leadership = new Leadership({
      lease: { read: async () => lease.stored, write: async (term, before) => lease.write(term, before) },
      ...{ identity: 'a', clock, random: () => 0, periods: PERIODS, onChange: () => {} },
    })
    const ended = leadership.run(() => Promise.reject(new Error('broken')), new AbortController().signal)
    await expect(Promise.race([ended, clock.advance(5000)])).rejects.toThrow('broken')
    expect(lease.stored.term?.holder).toBe('')
  })
})

test('of three, whatever becomes of their requests, never two work at once, and none of them waits for ever', async () => {
  const sums = { leaders: 0, gaps: 0 }
  for (let seed = 1; seed <= 100; seed++) {
    const random = randomFrom(seed)
    const [clock, lease] = [new PaperClock(), new PaperLease()]
    const all = ['a', 'b', 'c'].map(id => new Candidate(lease, clock, id, random))
    for (let second = 0; second < 120; second++) {
      const one = all[Math.floor(random() * all.length)]!
      one.answers = random() < 0.6 ? 'yes' : 'no'
      await clock.advance(1000)
      const working = all.filter(({ works }) => works).length
      expect(working, `seed ${seed}, second ${second}`).toBeLessThan(2)
      if (working === 0) sums.gaps++
    }
    for (const one of all) one.answers = 'yes'
    await clock.advance(40_000)
    expect(all.filter(({ works }) => works)).toHaveLength(1)
    sums.leaders += all.flatMap(({ changes }) => changes).filter(change => change === 'leading').length
    for (const one of all) one.stop.abort()
    await clock.advance(5000)
    await Promise.all(all.map(({ ended }) => ended))
  }
  expect(sums.leaders).toBeGreaterThan(150)
})
