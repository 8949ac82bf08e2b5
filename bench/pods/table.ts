import { cell, grouped, markdownTable, ratio } from '../report/markdown.ts'
import { largest, median } from '../report/statistics.ts'
import type { ContenderName } from './contender.ts'
import type { PodsFigure, PodsFigures } from './figures.ts'

// The figures of the pod network → tables.

const COLUMNS: readonly ContenderName[] = ['switchyard', 'fallback', 'peer']

export function podsTable({ samples, daemon }: PodsFigures): string {
  const rows = Object.entries(samples).map(([figure, byName]) => {
    const medians = COLUMNS.map(name => median(byName?.[name] ?? []))
    const [ours, , peers] = medians
    return [shown(figure as PodsFigure), ...medians.map(value => cell(value, 'ms')), ratio(ours, peers)]
  })
  const { startMs, startMiB, peakMiB, roundMiB, leases } = daemon
  return [
    markdownTable(['pod network, p50', ...COLUMNS, 'ratio'], rows),
    '',
    markdownTable(
      [`the daemon, ${grouped(leases)} leases`, 'figure'],
      [
        ['start of the process → serves, p50', cell(median(startMs), 'ms')],
        ['the same, longest', cell(largest(startMs), 'ms')],
        ['memory (RSS) a second later', cell(startMiB, 'MiB')],
        ['peak over all calls', cell(peakMiB, 'MiB')],
        ['peak of a round that finds all of them leaked', cell(roundMiB, 'MiB')],
      ],
    ),
  ].join('\n')
}

/** The last word may be a number. */
function shown(figure: PodsFigure): string {
  return figure.replace(/\d+$/, digits => (figure.includes(' at ') ? `${grouped(Number(digits))} leases` : digits))
}
