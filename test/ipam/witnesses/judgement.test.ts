import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { type JudgementParts, judge } from '#ipam/witnesses/judgement.ts'
import { LEAK_LIMITS, type Testimony, WITNESSES, type WitnessName } from '#ipam/witnesses/verdict.ts'
import type { Witness } from '#ipam/witnesses/witness.ts'
import { address } from '../../support/leases.ts'
import { lease } from './lease.ts'

const parts = (more: Partial<JudgementParts> = {}): JudgementParts => ({
  ...{
    witnesses: [],
    limits: LEAK_LIMITS,
    asked: 'all',
    now: 1_000_000,
    boot: 'now',
    before: () => undefined,
    ...more,
  },
})
const six = (more: Partial<Lease> = {}) => lease({ address: address('fd09::2'), family: 'ipv6', set: 1, ...more })

test('an attachment is in use as a whole', async () => {
  const witness = { name: 'namespace' as const, testify: async () => ['not', 'names', 'not'] as const }
  const judged = await judge(
    [lease(), six(), lease({ container: 'c2' }), lease({ container: 'c3', state: 'cooldown' })],
    parts({ witnesses: [witness] }),
  )
  expect(judged.map(({ holder, verdict }) => [holder.container, verdict.is])).toEqual([
    ['c1', 'live'],
    ['c2', 'suspect'],
  ])
})

test('only the first witness is asked of what it names', async () => {
  const asked: string[] = []
  const witness = (name: WitnessName, named: string): Witness => ({
    name,
    async testify(leases) {
      asked.push(`${name}: ${leases.map(({ container }) => container).join(' ')}`)
      return leases.map(({ container }) => (container === named ? 'names' : 'not'))
    },
  })
  const judged = await judge(
    [lease(), lease({ container: 'c2' }), lease({ container: 'c3' })],
    parts({
      witnesses: [witness('namespace', 'c1'), witness('runtime', 'c2'), witness('api', 'c3')],
      asked: 'until-named',
    }),
  )
  expect(judged.map(({ verdict }) => verdict.is)).toEqual(['live', 'live', 'live'])
  expect(asked).toEqual(['namespace: c1 c2 c3', 'runtime: c2 c3', 'api: c3'])
})

test('whether all witnesses are asked, or each until one names it, is the same verdict; one that names is enough', async () => {
  const testimony = fc.constantFrom<Testimony>('names', 'not', 'failed', 'mute')
  const one = fc.record({
    container: fc.constantFrom('c1', 'c2', 'c3'),
    says: fc.record({ namespace: testimony, runtime: testimony, api: testimony }),
    boot: fc.constantFrom('now', 'before', ''),
    at: fc.constantFrom(0, 990_000),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 6 }), async all => {
      const leases = all.map(({ container, boot, at }, i) => lease({ container, boot, at, set: i }))
      const witnesses = WITNESSES.map(
        (name): Witness => ({ name, testify: async asked => asked.map(({ set }) => all[set]!.says[name]) }),
      )
      const [every, few] = await Promise.all(
        (['all', 'until-named'] as const).map(asked => judge(leases, parts({ witnesses, asked }))),
      )
      expect(few!.map(({ verdict }) => verdict.is)).toEqual(every!.map(({ verdict }) => verdict.is))
      expect(every!.flatMap(one => one.leases).length).toBe(leases.length)
      for (const { leases: own, verdict, testimonies } of every!) {
        const said = own.flatMap(({ set }) => Object.values(all[set]!.says))
        expect(verdict.is === 'live').toBe(said.includes('names'))
        for (const name of WITNESSES) {
          const words = own.map(({ set }) => all[set]!.says[name])
          // One that could not look at all of an attachment has not said that it is gone.
          if (testimonies[name] === 'not') expect(words).not.toContain('failed')
          if (words.includes('failed')) expect(['failed', 'names']).toContain(testimonies[name])
        }
        if (verdict.is === 'leaked') expect(own.filter(({ boot }) => boot === 'now' || boot === '')).toEqual([])
      }
    }),
  )
})

test('an attachment is as young as its youngest address, and of an earlier start of the machine only as a whole', async () => {
  const gone = { name: 'namespace' as const, testify: async (all: readonly Lease[]) => all.map(() => 'not' as const) }
  const verdicts = async (...leases: readonly Lease[]) =>
    (await judge(leases, parts({ witnesses: [gone] }))).map(({ verdict }) => verdict.is)
  expect(await verdicts(lease(), six({ at: 990_000 }))).toEqual(['young'])
  expect(await verdicts(lease({ boot: 'before' }), six({ boot: 'before' }))).toEqual(['leaked'])
  for (const both of [
    [lease({ boot: 'before' }), six({ at: 10 })],
    [six({ at: 10 }), lease({ boot: 'before' })],
    [lease({ boot: 'before' }), six({ boot: '' })],
  ])
    expect(await verdicts(...both)).toEqual(['suspect'])
})

test('a witness that says less than it was asked for has failed, and one that is not there is mute', async () => {
  const short: Witness = { name: 'runtime', testify: async () => ['not'] }
  const [first, second] = await judge([lease(), lease({ container: 'c2' })], parts({ witnesses: [short] }))
  expect(first!.testimonies).toEqual({ namespace: 'mute', runtime: 'not', api: 'mute' })
  expect(second).toMatchObject({ testimonies: { runtime: 'failed' }, verdict: { is: 'unknown' } })
})

test('what was found of each holder before goes on', async () => {
  const gone: Witness = { name: 'api', testify: async all => all.map(() => 'not') }
  const before = { count: 2, since: 100, last: 900_000 }
  const judged = await judge(
    [lease(), lease({ ifname: 'eth1' })],
    parts({ witnesses: [gone], before: ({ ifname }) => (ifname === 'eth1' ? before : undefined) }),
  )
  expect(judged.map(({ verdict }) => [verdict.is, verdict.sightings?.count])).toEqual([
    ['suspect', 1],
    ['leaked', 3],
  ])
})

test('no witness is asked of nothing', async () => {
  const never: Witness = { name: 'api', testify: () => Promise.reject(new Error('was asked')) }
  for (const asked of ['all', 'until-named'] as const)
    expect(await judge([], parts({ witnesses: [never], asked }))).toEqual([])
})
