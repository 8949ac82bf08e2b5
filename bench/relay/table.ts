import { markdownTable } from '../report/markdown.ts'
import type { Spread } from '../report/statistics.ts'
import { type UserspaceFigures, WAYS, type Way } from './figures.ts'

// One row for each thing that passes, one column for each way.

export function userspaceTable({ bits, connections, answer, afresh, idle }: UserspaceFigures): string {
  const gigabits = (all: Readonly<Record<Way, number>>) => (way: Way) => {
    const part = way === 'direct' ? '' : ` (${Math.round((100 * all[way]) / all.direct)} %)`
    return `${(all[way] / 1e9).toFixed(1)} Gbit/s${part}`
  }
  const added = (all: Readonly<Record<Way, Spread>>, part: keyof Spread) => (way: Way) => {
    if (way === 'direct') return `${all.direct[part].toFixed(0)} µs`
    const more = Math.round(all[way][part] - all.direct[part])
    return `${more < 0 ? '−' : '+'}${Math.abs(more)} µs`
  }
  const rows: readonly (readonly [string, (way: Way) => string])[] = [
    ['one stream', gigabits(bits[1])],
    ['eight streams', gigabits(bits[8])],
    ['connections a second, 16 at a time', way => connections[way].toFixed(0)],
    ['an answer over an open connection, p50', added(answer, 'p50')],
    ['p99', added(answer, 'p99')],
    ['an answer over a new connection, p50', added(afresh, 'p50')],
    ['p99', added(afresh, 'p99')],
    [
      `memory for each of ${idle.connections} idle connections`,
      way => (way === 'direct' ? '-' : `${idle.kilobytes[way].toFixed(1)} kB`),
    ],
  ]
  const head = ['', 'without a proxy', 'Switchyard', 'a plain `net` proxy']
  const body = rows.map(([what, cell]) => [what, ...WAYS.map(cell)])
  return markdownTable(head, body)
}
