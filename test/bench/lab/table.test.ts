import { expect, test } from 'vitest'
import { labTable } from '../../../bench/lab/table.ts'

test('the table has the median and the longest of all rounds, and all connections together', () => {
  const round = {
    ...{ upMs: 4000, firstAnswerMs: 500, podsReadyMs: 12_000, podsAnswerMs: 13_000, memoryMiB: 800, processes: 20 },
    ...{ updateMs: 20_000, asked: 1000, lost: 0, leftMs: 5000, replacedMs: 6000 },
  }
  const rounds = [round, { ...round, upMs: 6000, lost: 2 }, { ...round, upMs: 5000, replacedMs: null }]
  const lines = labTable({ nodes: 5, pods: 100, replicas: 20, graceMs: 4000, rounds }).split('\n')
  expect(lines[0]).toBe('| a cluster of 5 nodes | p50 | longest |')
  expect(lines).toContain('| started → all nodes Ready | 5.0 s | 6.0 s |')
  expect(lines).toContain('| connections meanwhile, and lost ones | 3000 | 2 |')
  expect(lines).toContain('| the same → 20 pods Ready on the others | 6.0 s | never |')
})
