import type { Sample } from './statistics.ts'

// Rows of cells → a table in Markdown, and numbers → cells.

export type Unit = 's' | 'ms' | 'MiB' | '%' | 'count'

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

/** `-` was not measured; `never` was waited for in vain. */
export function cell(value: Sample | undefined, unit: Unit): string {
  if (value === undefined) return '-'
  if (value === null) return 'never'
  if (unit === 's') return `${significant(value / 1000)} s`
  if (unit === 'count') return String(value)
  return `${significant(value)} ${unit}`
}

/** One number as a part of another; nothing is a part of 0. */
export function ratio(ours: Sample | undefined, peers: Sample | undefined): string {
  if (typeof ours !== 'number' || typeof peers !== 'number' || peers === 0) return '-'
  return (ours / peers).toFixed(2)
}

/** Two digits that mean something, and all before the point: 0.15, 9.9, 10, 160. */
function significant(value: number): string {
  if (value === 0 || value >= 9.95) return value.toFixed(0)
  return value.toFixed(value >= 0.995 ? 1 : 2)
}

/** 10000 → 10,000. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US')
}
