import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  LEAK_LIMITS,
  type LeaseVerdict,
  type Sightings,
  type Testimonies,
  type Testimony,
  verdictOn,
} from '#ipam/witnesses/verdict.ts'

const NOW = 10_000_000
const judged = (
  testimonies: Partial<Testimonies>,
  {
    before,
    age = 600_000,
    boot = 'now',
    now = NOW,
  }: Partial<{ before: Sightings; age: number; boot: string; now: number }> = {},
): LeaseVerdict =>
  verdictOn({
    lease: { at: now - age, boot },
    testimonies: { namespace: 'not', runtime: 'not', api: 'not', ...testimonies },
    before,
    now,
    boot: 'now',
    limits: LEAK_LIMITS,
  })

describe('a lease', () => {
  test.each(['namespace', 'runtime', 'api'] as const)('that only %s names is live', witness => {
    expect(judged({ [witness]: 'names' }).is).toBe('live')
  })

  test('that no witness names is suspect twice, then leaked', () => {
    const first = judged({})
    expect(first).toMatchObject({ is: 'suspect', why: expect.stringContaining('1 of 3 rounds') })
    const second = judged({}, { before: first.sightings!, now: NOW + 60_000 })
    expect(second.is).toBe('suspect')
    expect(judged({}, { before: second.sightings!, now: NOW + 120_000 })).toMatchObject({
      is: 'leaked',
      why: expect.stringContaining('in 3 rounds'),
    })
  })

  test('is never leaked because of results of a runtime alone', () => {
    const before = { count: 7, since: 0, last: 0 }
    expect(judged({ namespace: 'mute', api: 'mute' }, { before })).toMatchObject({
      ...{ is: 'suspect', why: "not in use by the runtime's results, which alone do not suffice" },
    })
    expect(judged({ namespace: 'mute' }, { before }).is).toBe('leaked')
    expect(judged({ api: 'mute' }, { before }).is).toBe('leaked')
  })

  test('is not leaked sooner because it is looked at more often', () => {
    const first = judged({}).sightings!
    const soon = judged({}, { before: first, now: NOW + 1000 })
    expect(soon).toMatchObject({ is: 'suspect', sightings: first })
    expect(judged({}, { before: soon.sightings!, now: NOW + 2000 }).is).toBe('suspect')
  })

  test('is not judged while it is young', () => {
    expect(judged({}, { age: 59_000 })).toEqual({ is: 'young', why: 'given 59 s ago' })
  })

  test('a witness that failed neither ends the row nor adds to it', () => {
    const before = { count: 2, since: 5, last: 5 }
    expect(judged({ api: 'failed' }, { before })).toMatchObject({ is: 'unknown', sightings: before })
  })

  test('seen in between, the row begins anew', () => {
    expect(judged({ runtime: 'names' }, { before: { count: 2, since: 5, last: 5 } }).sightings).toBeUndefined()
  })

  test('of an earlier boot is leaked at once, unless its namespace could not be looked for', () => {
    expect(judged({}, { boot: 'before' }).is).toBe('leaked')
    expect(judged({ namespace: 'mute' }, { boot: 'before' }).is).toBe('suspect')
    expect(judged({}, { boot: '' }).is).toBe('suspect')
  })

  test('of which no witness knows anything is left alone', () => {
    expect(judged({ namespace: 'mute', runtime: 'mute', api: 'mute' }).is).toBe('unknown')
  })

  test('is never leaked while a witness names it, nor while one failed, whatever came before', () => {
    const testimony = fc.constantFrom<Testimony>('names', 'not', 'failed', 'mute')
    fc.assert(
      fc.property(
        fc.record({ namespace: testimony, runtime: testimony, api: testimony }),
        fc.option(fc.record({ count: fc.nat(9), since: fc.nat(), last: fc.nat() }), { nil: undefined }),
        fc.constantFrom('now', 'before', ''),
        fc.integer({ min: -1000, max: 10_000_000 }),
        (testimonies, before, boot, age) => {
          const { is } = judged(testimonies, { boot, age, ...(before !== undefined && { before }) })
          const said = Object.values(testimonies)
          if (said.includes('names')) expect(is).toBe('live')
          else if (said.includes('failed') || !said.includes('not')) expect(is).toBe('unknown')
          else if (age < LEAK_LIMITS.graceMs) expect(is).toBe('young')
        },
      ),
    )
  })
})
