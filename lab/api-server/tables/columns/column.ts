import type { ApiObject } from '#lab/api-server/object.ts'

// What a column of a Table is made of, and the words that columns of all kinds share: ages, labels, lists that are cut off.

/** A time → how long ago that was. */
export type Ago = (moment: unknown) => string

export interface Column<T> {
  readonly name: string
  readonly description: string
  /** Absent: `string`, which the real server says of most counts, too. */
  readonly type?: 'integer'
  readonly format?: 'name'
  /** 1: only with `-o wide`. */
  readonly priority?: 1
  readonly cell: (object: T, ago: Ago) => string | number
}

/** What a row says of its object beside the cells. */
export interface RowCondition {
  readonly type: 'Completed'
  readonly status: 'True'
  readonly reason: string
  readonly message: string
}

export const NAME: Column<ApiObject> = {
  name: 'Name',
  description: 'Name of the object, unique in its namespace.',
  format: 'name',
  cell: ({ metadata }) => metadata.name ?? '',
}

export function age(more: Pick<Column<ApiObject>, 'priority'>): Column<ApiObject> {
  return {
    name: 'Age',
    description: 'Time since the object was created.',
    cell: ({ metadata }, ago) => ago(metadata.creationTimestamp),
    ...more,
  }
}

/** Between Name and Age, as with most kinds. `wide` columns come last. */
export function columns<T>(
  own: readonly Column<T>[],
  wide: readonly Column<T>[] = [],
): readonly (Column<T> | Column<ApiObject>)[] {
  return [NAME, ...own, age({}), ...wide.map(column => ({ ...column, priority: 1 as const }))]
}

export const NONE = '<none>'
export const UNKNOWN = '<unknown>'

export function shownAge(moment: unknown, now: number): string {
  const then = typeof moment === 'string' ? Date.parse(moment) : Number.NaN
  return Number.isNaN(then) ? UNKNOWN : shownDuration(Math.floor((now - then) / 1000))
}

/** Two units where the first is a small number, as kubectl shows time: `95s`, `3m20s`, `47h`, `5d3h`. */
export function shownDuration(seconds: number): string {
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  const days = Math.floor(hours / 24)
  const years = Math.floor(days / 365)
  if (seconds < 120) return `${seconds}s`
  if (minutes < 10) return pair(`${minutes}m`, seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  if (hours < 8) return pair(`${hours}h`, minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  if (hours < 192) return pair(`${days}d`, hours % 24, 'h')
  if (years < 2) return `${days}d`
  if (years < 8) return pair(`${years}y`, days % 365, 'd')
  return `${years}y`
}

function pair(whole: string, rest: number, unit: string): string {
  return rest === 0 ? whole : `${whole}${rest}${unit}`
}

/** `app=db,tier=back` */
export function shownLabels(labels: Readonly<Record<string, string>> | undefined): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`)
  return pairs.length === 0 ? NONE : pairs.sort().join(',')
}

const MOST = 3

/** The first three, and how many more there are. */
export function shortList(items: readonly (string | number)[], empty: string): string {
  if (items.length === 0) return empty
  const more = items.length > MOST ? ` + ${items.length - MOST} more...` : ''
  return `${items.slice(0, MOST).join(',')}${more}`
}
