import { expect, test } from 'vitest'
import { ruleCounts, rulesWritten } from '#proxy/agent/rule-counts.ts'
import { ruleset } from '../../support/units.ts'

test('rules are counted where they stand: those of chains by lines, and each line of ours elsewhere', () => {
  const rules = ruleset({
    'nat KUBE-SVC-AAAAAAAAAAAAAAAA': '-A one\n-A two\n-A three',
    'nat KUBE-MARK-MASQ': '',
    'nat -A PREROUTING -j KUBE-SERVICES': '',
    'filter KUBE-FORWARD': '-A one',
    'mangle KUBE-PROXY-CANARY': '',
  })
  expect(ruleCounts(rules)).toEqual({ filter: 1, nat: 4 })
})

test('a document without an end, or without anything, is counted as far as it goes', () => {
  expect(rulesWritten('')).toEqual({})
  expect(rulesWritten('*nat\n-A x')).toEqual({ nat: 1 })
})

test('of a document, lines that add a rule count, in the table they stand under', () => {
  const lines = ['*filter', ':A - [0:0]', '-A A -j DROP', '-I INPUT -j A', 'COMMIT', '*nat', '-D OUTPUT -j B', '-X B']
  expect(
    rulesWritten([...lines, '-A C -m comment --comment "*mangle"', 'COMMIT', '*nat', '-A C', ''].join('\n')),
  ).toEqual({
    filter: 2,
    nat: 2,
  })
})

test('units of other kinds, and of tables that are not counted, count nothing', () => {
  expect(ruleCounts(ruleset({ 'set KUBE-CLUSTER-IP': 'a\nb', 'mangle KUBE-X': '-A one' }))).toEqual({
    filter: 0,
    nat: 0,
  })
  // Of an object, not of a table.
  expect(ruleCounts(ruleset({ 'constructor X': '-A one' }))).toEqual({ filter: 0, nat: 0 })
})
