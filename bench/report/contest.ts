import { OURS, PEER } from '../contenders.ts'
import type { ToolCounts } from '../counted-tools.ts'
import type { Result } from '../rounds.ts'
import { cell, grouped, markdownTable, ratio } from './markdown.ts'
import { largest, median, quantile, type Sample } from './statistics.ts'

// A row for each size and contender, and ours as a part of the peer's.

export interface Counted extends Result, ToolCounts {}

interface Column {
  readonly head: string
  readonly of: (result: Counted) => Sample | undefined
  readonly cell: (value: Sample | undefined) => string
}

const COLUMNS: readonly Column[] = [
  {
    head: 'first connection',
    of: ({ measured }) => median(measured.firstConnectionMs ?? []),
    cell: value => cell(value, 's'),
  },
  {
    head: 'update p50',
    of: ({ measured }) => median(measured.endpointComesMs ?? []),
    cell: value => cell(value, 'ms'),
  },
  {
    head: 'p99',
    of: ({ measured }) => quantile(measured.endpointComesMs ?? [], 0.99),
    cell: value => cell(value, 'ms'),
  },
  { head: 'CPU', of: ({ measured }) => median(measured.cpuMs ?? []), cell: value => cell(value, 's') },
  { head: 'peak memory', of: ({ measured }) => largest(measured.peakMiB ?? []), cell: value => cell(value, 'MiB') },
  { head: 'written', of: ({ bytesWritten }) => bytesWritten, cell: value => `${((value ?? 0) / 1e6).toFixed(2)} MB` },
  { head: 'processes', of: ({ processes }) => processes, cell: value => cell(value, 'count') },
]

export function contestTable(results: readonly Counted[]): string {
  const size = ({ services, endpoints }: Counted): string => `${grouped(services)} × ${endpoints}`
  const rows = results.map(result => [
    size(result),
    result.contender,
    ...COLUMNS.map(column => column.cell(column.of(result))),
  ])
  const ratios = results
    .filter(({ contender }) => contender === PEER)
    .flatMap(peer => {
      const ours = results.find(({ contender, services }) => contender === OURS && services === peer.services)
      return ours === undefined ? [] : [[size(peer), 'ratio', ...COLUMNS.map(({ of }) => ratio(of(ours), of(peer)))]]
    })
  return markdownTable(['services × endpoints', 'proxy', ...COLUMNS.map(({ head }) => head)], [...rows, ...ratios])
}
