import { OURS, PEER } from '../contenders.ts'
import type { FigureName, Measured } from '../node/figures.ts'
import type { Result } from '../rounds.ts'
import { cell, grouped, markdownTable, ratio, type Unit } from './markdown.ts'
import { largest, median, quantile, type Sample } from './statistics.ts'

// Everything the table says of a contender: a line each.

export interface Measurement {
  readonly what: string
  readonly unit: Unit
  readonly of: (measured: Measured) => Sample | undefined
}

export const MEASUREMENTS: readonly Measurement[] = [
  row('first connection, from the start of the process', 's', 'firstConnectionMs', median),
  row('endpoint comes: first packet, p50', 'ms', 'endpointComesMs', median),
  row('p99', 'ms', 'endpointComesMs', p99),
  row('endpoint goes: last packet, p50', 'ms', 'endpointGoesMs', median),
  row('p99', 'ms', 'endpointGoesMs', p99),
  row('first endpoint of a Service comes: first packet, p50', 'ms', 'firstEndpointMs', median),
  row('p99', 'ms', 'firstEndpointMs', p99),
  row('SYNs lost meanwhile, one every 3 ms: most', 'count', 'lostComing', largest),
  row('for at most', 'ms', 'lostComingMs', largest),
  row('last endpoint of a Service goes: last packet, p50', 'ms', 'lastEndpointMs', median),
  row('p99', 'ms', 'lastEndpointMs', p99),
  row('SYNs lost meanwhile: most', 'count', 'lostGoing', largest),
  row('for at most', 'ms', 'lostGoingMs', largest),
  row('peak memory (RSS) of the agent and all its children', 'MiB', 'peakMiB', largest),
  row('the same, started with rules standing', 'MiB', 'restartPeakMiB', largest),
  row('start with rules standing → ready (healthz 200)', 's', 'readyMs', median),
  row('start with rules standing → first change written', 's', 'restartChangeMs', median),
  row('one foreign rule in a chain of ours → gone', 's', 'foreignRuleMs', largest),
  row('all rules flushed by another program → traffic flows', 's', 'flushMs', largest),
  row('the same, 0.6 s after the first sync of a process', 's', 'flushEarlyMs', largest),
  row('idle: CPU of agent and children, of one core', '%', 'idlePercent', median),
  row('idle: processes started in 30 s', 'count', 'idleChildren', largest),
  row('what is due every hour: CPU', 'ms', 'auditCpuMs', median),
  row('what is due every hour: processes', 'count', 'auditChildren', largest),
  row('what is due every hour: peak memory', 'MiB', 'auditPeakMiB', largest),
]

/** One table for the contenders of one mode and size. */
export function comparison(results: readonly Result[], rows: readonly Measurement[] = MEASUREMENTS): string {
  const { mode, services, endpoints } = results[0]!
  const ours = results.find(({ contender }) => contender === OURS)
  const peer = results.find(({ contender }) => contender === PEER)
  const columns = results.map(({ contender }) => contender)
  const head = [`${mode}, ${grouped(services)} × ${endpoints}`, ...columns, ...(ours && peer ? ['ratio'] : [])]
  const body = rows.map(({ what, unit, of }) => {
    const cells = results.map(({ measured }) => cell(of(measured), unit))
    return [what, ...cells, ...(ours && peer ? [ratio(of(ours.measured), of(peer.measured))] : [])]
  })
  return markdownTable(head, body)
}

function row(
  what: string,
  unit: Unit,
  figure: FigureName,
  draw: (samples: readonly Sample[]) => Sample | undefined,
): Measurement {
  return { what, unit, of: measured => draw(measured[figure] ?? []) }
}

function p99(samples: readonly Sample[]): Sample | undefined {
  return quantile(samples, 0.99)
}
