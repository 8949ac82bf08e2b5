import fc from 'fast-check'
import { expect, test } from 'vitest'
import { filterSteps } from '#proxy/modes/netfilter/filter-steps.ts'
import { diff } from '#proxy/plan/diff.ts'
import { ruleset, textsOf } from '../../../support/units.ts'

// Which lines of the filter table are there while nat changes.

const lines = fc.subarray(['-A S a', '-A S b', '-A S c']).map(all => all.join('\n'))
const kernels = fc.record({ 'filter S': lines, 'nat S': fc.constantFrom('', '-A S x'), 'mangle S': lines })

const setOf = (text: string) => new Set(text.split('\n').filter(line => line !== ''))

test('while nat changes, every refusal stands that stood before or is to stand, and afterwards those that are wanted', () => {
  fc.assert(
    fc.property(kernels, kernels, (from, to) => {
      const { beforeNat, afterNat } = filterSteps(diff(ruleset(from), ruleset(to)))
      const during = textsOf(beforeNat).get('filter S') ?? from['filter S']
      const after = textsOf(afterNat).get('filter S') ?? during
      expect(setOf(after)).toEqual(setOf(to['filter S']))
      const expected = setOf(to['filter S'])
      if (from['nat S'] !== to['nat S']) for (const line of setOf(from['filter S'])) expected.add(line)
      expect(setOf(during)).toEqual(expected)
    }),
  )
})

test('a chain is written twice only where lines come and go, and nat changes', () => {
  fc.assert(
    fc.property(kernels, kernels, (from, to) => {
      const { beforeNat, afterNat } = filterSteps(diff(ruleset(from), ruleset(to)))
      const isMixed = [from, to].every(
        (one, i) => !setOf(one['filter S']).isSubsetOf(setOf([to, from][i]!['filter S'])),
      )
      const writes = [...beforeNat.keys(), ...afterNat.keys()].length
      expect(writes).toBeLessThanOrEqual(isMixed && from['nat S'] !== to['nat S'] ? 2 : 1)
    }),
  )
})

test('units of other tables, and those that go, are in neither step', () => {
  const from = ruleset({ 'filter GONE': '', 'nat GONE': '' })
  const to = ruleset({ 'filter NEW': '-A NEW a', 'nat NEW': '', 'set X': '', 'filter -A INPUT -j NEW': '' })
  const { beforeNat, afterNat } = filterSteps(diff(from, to))
  expect(Object.fromEntries(textsOf(beforeNat))).toEqual({ 'filter NEW': '-A NEW a', 'filter -A INPUT -j NEW': '' })
  expect(afterNat.size).toBe(0)
})
