import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  chainOf,
  chainPart,
  chainUnit,
  lineUnit,
  partOf,
  ruleUnit,
  TABLES,
  tableOf,
  wholeChain,
} from '#proxy/modes/netfilter/units.ts'
import { unit } from '../../../support/units.ts'

const tables = fc.constantFrom(...TABLES)
const chains = fc.stringMatching(/^[A-Z][A-Z0-9-]{0,27}$/)

test('the name of a chain is read as the chain', () => {
  fc.assert(
    fc.property(tables, chains, (table, chain) => {
      const unit = chainUnit(table, chain)
      expect([ruleUnit(unit), tableOf(unit)]).toEqual([{ kind: 'chain', table, chain }, table])
      expect([partOf(unit), wholeChain(chainPart(table, chain))]).toEqual([chainPart(table, chain), unit])
      expect(chainOf(chainPart(table, chain))).toEqual({ table, chain })
    }),
  )
})

test('the name of a line is read as the line and the chain it stands in, whichever copy it is', () => {
  fc.assert(
    fc.property(tables, chains, fc.integer({ min: 1, max: 3 }), (table, chain, copy) => {
      const line = `${chain} -m comment --comment "a #2 of a kind" -j KUBE-SERVICES`
      const unit = lineUnit(table, `-A ${line}`, copy)
      expect([ruleUnit(unit), tableOf(unit)]).toEqual([{ kind: 'line', table, chain, line }, table])
      expect(partOf(unit)).toBe(chainPart(table, chain))
    }),
  )
})

test.each(['set KUBE-CLUSTER-IP', 'listen tcp shop/cart:http', 'raw PREROUTING', 'nat', 'natural KUBE-SERVICES'])(
  '%s is no rule',
  text => expect([ruleUnit, tableOf, partOf].map(read => read(unit(text)))).toEqual(Array(3).fill(undefined)),
)
