import { describe, expect, test } from 'vitest'
import type { Part, Ruleset } from '#proxy/modes/mode.ts'
import { noDoubts, UNKNOWN_TEXT } from '#proxy/sync/belief/belief.ts'
import type { Fingerprints, PartState, Standing } from '#proxy/sync/belief/fingerprints.ts'
import { isListedSooner, known, partsOf, partsThat } from '#proxy/sync/belief/known.ts'
import { part, ruleset, textsOf, unit, unitSet } from '../../../support/units.ts'
import { LineKernel, lineMode } from '../line-mode.ts'

const SHARED = { shared: new Set(['line']) }
const standing = (states: Readonly<Record<string, PartState>>): Standing =>
  new Map(Object.entries(states).map(([name, state]) => [part(name), state]))

/** Fingerprints that show these parts, and what they were asked to do. */
function fingerprints(found: Standing | undefined) {
  const asked: unknown[] = []
  const outdated = (parts: Iterable<Part>) => asked.push(['outdate', ...parts])
  const restarted = (parts: Iterable<Part>) => asked.push(['restart', ...parts])
  const all = {
    standing: async () => found,
    unproven: (parts: ReadonlySet<Part>) => new Set([...parts].filter(one => found?.get(one) !== 'as believed')),
    outdate: outdated,
    restart: restarted,
  }
  return { asked, fingerprints: all as unknown as Fingerprints }
}

function scene(rules: Readonly<Record<string, string>>) {
  const kernel = new LineKernel()
  for (const [name, text] of Object.entries(rules)) kernel.rules.set(name, text)
  const parts = {
    mode: lineMode(kernel, SHARED),
    kernel,
    wanted: ruleset({}),
    dump: undefined,
    fingerprints: undefined,
  }
  return { kernel, parts }
}

const texts = (rules: Ruleset) => Object.fromEntries(textsOf(rules))

describe('where nothing is believed', () => {
  test('all is read as text', async () => {
    const { kernel, parts } = scene({ a: '1', line: '' })
    const found = await known(undefined, noDoubts(), { ...parts, remembered: undefined })
    expect(found).toMatchObject({ isNew: true, isListed: true, settled: { compare: new Set(), rewrite: new Set() } })
    expect(texts(found.installed)).toEqual({ a: '1', line: '' })
    expect(kernel.took()).toEqual(['read'])
  })

  test('what was read is believed, whether it is wanted or not', async () => {
    const { parts } = scene({ a: '1', b: '2' })
    const wanted = ruleset({ a: '1', b: '3' })
    const found = await known(undefined, noDoubts(), { ...parts, wanted, remembered: undefined })
    expect(texts(found.installed)).toEqual({ a: '1', b: '2' })
  })

  test('what is remembered is compared part by part, where very many stand and few have changed', async () => {
    const { kernel, parts } = scene({ a: '1', b: 'theirs', line: '' })
    const { asked, fingerprints: all } = fingerprints(
      standing({ a: 'as believed', b: 'other', c: 'unknown', shared: 'as believed' }),
    )
    const remembered = ruleset({ a: '1', b: '1', gone: '1', line: '' })
    const found = await known(undefined, noDoubts(), { ...parts, fingerprints: all, remembered })
    expect(found).toMatchObject({ isNew: true, isListed: false })
    // What is there, though it is not remembered, has a text that no unit has; what is gone is not believed.
    expect(texts(found.installed)).toEqual({ a: '1', b: UNKNOWN_TEXT, c: UNKNOWN_TEXT, line: '' })
    expect(found.settled.rewrite).toEqual(unitSet('b', 'c'))
    // Of these nothing was known: another program need not have written them.
    expect(found.settled.unknown).toEqual(unitSet('c'))
    expect(asked).toEqual([['outdate', part('b'), part('c')]])
    expect(kernel.took()).toEqual([])
  })

  test('a part that others share is read, where it has changed', async () => {
    const { kernel, parts } = scene({ a: '1', line: '' })
    const { fingerprints: all } = fingerprints(standing({ a: 'as believed', shared: 'other' }))
    const found = await known(undefined, noDoubts(), { ...parts, fingerprints: all, remembered: ruleset({ a: '1' }) })
    expect([kernel.took(), texts(found.installed)]).toEqual([['read shared'], { a: '1', line: '' }])
  })

  test.each([
    ['nothing is known of any part', standing({ a: 'unknown', b: 'unknown' })],
    ['the kernel cannot be asked', undefined],
  ])('all is read as text where %s', async (_, states) => {
    const { kernel, parts } = scene({ a: '1', b: '1' })
    const { asked, fingerprints: all } = fingerprints(states)
    const found = await known(undefined, noDoubts(), { ...parts, fingerprints: all, remembered: ruleset({ a: '1' }) })
    expect([found.isListed, kernel.took()]).toEqual([true, ['read']])
    expect(asked).toEqual([['restart', part('a'), part('b')]])
  })
})

describe('what is believed', () => {
  test('is not read where nothing is in doubt', async () => {
    const { kernel, parts } = scene({ a: 'theirs' })
    const installed = ruleset({ a: '1' })
    const found = await known(installed, noDoubts(), { ...parts, remembered: undefined })
    expect(found).toMatchObject({ isNew: false, isListed: false })
    expect([found.installed, kernel.took()]).toEqual([installed, []])
  })

  test('is compared where an audit has corrected it, though the mode has no parts', async () => {
    const { kernel, parts } = scene({})
    const doubts = { ...noDoubts(), units: unitSet('a') }
    const mode = lineMode(kernel)
    const found = await known(ruleset({ a: '1' }), doubts, { ...parts, mode, remembered: undefined })
    expect([found.settled.compare, kernel.took()]).toEqual([unitSet('a'), []])
  })

  test('is read as a whole, where more parts that others share are in doubt than are read alone', async () => {
    const { kernel, parts } = scene({ a: '1' })
    const mode = {
      ...parts.mode,
      watches: { ...parts.mode.watches!, parts: { ...parts.mode.watches!.parts!, unitOf: () => undefined } },
    }
    const doubts = { ...noDoubts(), parts: new Set(Array.from({ length: 65 }, (_, i) => part(`p${i}`))) }
    const found = await known(ruleset({}), doubts, { ...parts, mode, remembered: undefined })
    expect([found.isListed, kernel.took()]).toEqual([true, ['read']])
  })
})

describe('a listing is sooner', () => {
  const many = (n: number, state: PartState) =>
    Object.fromEntries(Array.from({ length: n }, (_, i) => [`${state}${i}`, state]))
  test.each([
    ['where few parts stand and of all of them nothing is known', { ...many(3, 'unknown') }, true],
    ['where more have changed than are read alone', { ...many(65, 'other'), ...many(100, 'as believed') }, true],
    ['not where few have changed', { ...many(64, 'other'), ...many(100, 'as believed') }, false],
    ['not where so many stand that to list them takes minutes', { ...many(5001, 'other') }, false],
    ['where nothing stands', {}, true],
  ] as const)('%s: %s', (_, states, expected) => expect(isListedSooner(standing(states))).toBe(expected))
})

test('parts are those of units that stand in one, each once', () => {
  const { parts } = scene({})
  const units = ['a', 'line'].map(unit)
  expect(partsOf([...units, ...units], parts.mode.watches!.parts)).toEqual(new Set([part('a'), part('shared')]))
  expect(partsOf(units, undefined)).toEqual(new Set())
  expect(partsThat(standing({ a: 'other', b: 'unknown', c: 'as believed' }), 'other', 'unknown')).toEqual(['a', 'b'])
})
