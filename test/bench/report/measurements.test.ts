import { describe, expect, test } from 'vitest'
import { type Measured, pooled } from '../../../bench/node/figures.ts'
import { type Counted, contestTable } from '../../../bench/report/contest.ts'
import { comparison, MEASUREMENTS } from '../../../bench/report/measurements.ts'
import type { Result } from '../../../bench/rounds.ts'

function result(contender: string, measured: Measured): Result {
  return { mode: 'iptables', services: 1000, endpoints: 10, contender, argv: [], measured }
}

const OURS = result('switchyard', { firstConnectionMs: [1790], endpointComesMs: [50, 60, 70], flushMs: [800] })
const PEER = result('peer', { firstConnectionMs: [5980], endpointComesMs: [97, 97, 100], flushMs: [null] })

describe('the table', () => {
  test('has a line for everything that is measured, ours beside the peer’s with the ratio', () => {
    const lines = comparison([OURS, PEER]).split('\n')
    expect(lines).toHaveLength(MEASUREMENTS.length + 2)
    expect(lines[0]).toBe('| iptables, 1,000 × 10 | switchyard | peer | ratio |')
    expect(lines).toContain('| first connection, from the start of the process | 1.8 s | 6.0 s | 0.30 |')
    expect(lines).toContain('| endpoint comes: first packet, p50 | 60 ms | 97 ms | 0.62 |')
    expect(lines).toContain('| all rules flushed by another program → traffic flows | 0.80 s | never | - |')
    expect(lines).toContain('| idle: CPU of agent and children, of one core | - | - | - |')
  })

  test('has no ratio without a peer', () => {
    expect(comparison([OURS]).split('\n')[0]).toBe('| iptables, 1,000 × 10 | switchyard |')
  })
})

test('the table of sizes has a row for each contender, and the ratio below', () => {
  const counted: readonly Counted[] = [
    { ...OURS, processes: 14, bytesWritten: 2_000_000 },
    { ...PEER, processes: 28, bytesWritten: 4_000_000 },
  ]
  expect(contestTable(counted).split('\n').slice(2)).toEqual([
    '| 1,000 × 10 | switchyard | 1.8 s | 60 ms | 70 ms | - | - | 2.00 MB | 14 |',
    '| 1,000 × 10 | peer | 6.0 s | 97 ms | 100 ms | - | - | 4.00 MB | 28 |',
    '| 1,000 × 10 | ratio | 0.30 | 0.62 | 0.70 | - | - | 0.50 | 0.50 |',
  ])
})

test('the samples of several rounds are one', () => {
  expect(pooled([{ flushMs: [1] }, { flushMs: [null], readyMs: [2] }])).toEqual({ flushMs: [1, null], readyMs: [2] })
})
