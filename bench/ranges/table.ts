import { cell, grouped, markdownTable } from '../report/markdown.ts'
import { largest, median } from '../report/statistics.ts'
import type { ControllerFigures, JoinFigures, RangesFigures, RingFigures } from './figures.ts'

// The figures of ranges across a cluster → tables.

export function rangesTable({ controller, ring }: RangesFigures): string {
  return `${controllerTable(controller)}\n\n${ringTable(ring)}`
}

function ringTable({ nodes, atOnce, tookMs, writes, conflicts, textMiB, heapMiB }: RingFigures): string {
  return markdownTable(
    [`ring, ${grouped(nodes)} nodes, ${atOnce} at once`, ''],
    [
      ['nodes a second', grouped(Math.round((nodes / tookMs) * 1000))],
      ['writes, per node', (writes / nodes).toFixed(2)],
      ["writes that came after another's, per node", (conflicts / nodes).toFixed(2)],
      ['the ring in its ConfigMap', cell(textMiB, 'MiB')],
      ['the ring in the memory of a daemon', cell(heapMiB, 'MiB')],
    ],
  )
}

function controllerTable({ nodes, alone, two, oneMoreMs, residentMiB, peakMiB }: ControllerFigures): string {
  const both = (of: (figures: JoinFigures) => string): readonly string[] => [of(alone), of(two)]
  const one = (text: string): readonly string[] => [text, '-']
  return markdownTable(
    [`controller, ${grouped(nodes)} nodes at once`, 'one', 'two without election'],
    [
      ['start of the process → the last node has its range', ...both(({ totalMs }) => cell(totalMs, 's'))],
      ['nodes a second, once it gives', ...both(({ givingMs }) => grouped(Math.round((nodes / givingMs) * 1000)))],
      ['writes of Nodes, per node', ...both(({ nodeWrites, refused }) => ((nodeWrites + refused) / nodes).toFixed(2))],
      ['writes of the record', ...both(({ recordWrites }) => String(recordWrites))],
      ["of the record, that came after another's", ...both(({ conflicts }) => String(conflicts))],
      ['one more node, p50', ...one(cell(median(oneMoreMs), 'ms'))],
      ['one more node, longest', ...one(cell(largest(oneMoreMs), 'ms'))],
      ['memory (RSS) afterwards; no children', ...one(cell(residentMiB, 'MiB'))],
      ['peak', ...one(cell(peakMiB, 'MiB'))],
    ],
  )
}
