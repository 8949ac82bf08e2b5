import { cell, markdownTable, type Unit } from '../report/markdown.ts'
import { largest, median, type Sample } from '../report/statistics.ts'
import type { LabFigures, LabRound } from './figures.ts'

// The figures of a cluster of the lab → a table.

type Figure = keyof { readonly [Name in keyof LabRound as LabRound[Name] extends Sample ? Name : never]: true }

export function labTable(figures: LabFigures): string {
  const { nodes, pods, replicas, graceMs, rounds } = figures
  const row = (name: string, figure: Figure, unit: Unit): readonly string[] => {
    const samples = rounds.map(round => round[figure])
    return [name, cell(median(samples), unit), cell(largest(samples), unit)]
  }
  const asked = rounds.reduce((sum, round) => sum + round.asked, 0)
  const lost = rounds.reduce((sum, round) => sum + round.lost, 0)
  return markdownTable(
    [`a cluster of ${nodes} nodes`, 'p50', 'longest'],
    [
      row('started → all nodes Ready', 'upMs', 's'),
      row('a Deployment and its Service → first answer', 'firstAnswerMs', 's'),
      row(`scaled to ${pods} pods → all Ready`, 'podsReadyMs', 's'),
      row('the same → each of them has answered through the Service', 'podsAnswerMs', 's'),
      row(`rolling update of ${replicas} pods → none of the old ones left`, 'updateMs', 's'),
      [`connections meanwhile, and lost ones`, String(asked), String(lost)],
      row(`a node dies (noticed after ${graceMs / 1000} s) → none of its endpoints left`, 'leftMs', 's'),
      row(`the same → ${replicas} pods Ready on the others`, 'replacedMs', 's'),
      row(`memory (RSS) of all processes, ${pods} pods`, 'memoryMiB', 'MiB'),
      row('processes', 'processes', 'count'),
    ],
  )
}
