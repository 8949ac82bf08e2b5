import type { NetworkLeases } from '#ipam/leases/lease-view.ts'
import { addressFromNumber } from '#values/address.ts'
import { formatDuration } from '#values/duration.ts'
import { type AddressRow, addressRows } from './address-rows.ts'
import { aligned } from './aligned.ts'
import { rowCounts, spread } from './row-counts.ts'

// Leases → the table that `ipam ls` prints: a line with counts for each network, then IP STATUS POD as kubectl would.

export interface TableOptions {
  readonly shape: 'narrow' | 'wide'
  readonly free: 'short' | 'all'
  /** Only this one. */
  readonly network?: string
  readonly now: number
}

export function leaseTable(all: readonly NetworkLeases[], options: TableOptions): string {
  const shown = all.filter(({ network }) => options.network === undefined || network === options.network)
  return shown.map(network => networkText(network, addressRows(network, all), options)).join('\n\n')
}

function networkText(network: NetworkLeases, rows: readonly AddressRow[], options: TableOptions): string {
  const columns = options.shape === 'wide' ? [...NARROW, ...WIDE] : NARROW
  const lines = spread(rows, options.free).map(row => columns.map(({ cell }) => cell(row, options.now)))
  return [headerLine(network, rows), ...aligned([columns.map(({ title }) => title), ...lines])].join('\n')
}

function headerLine({ network, sets, overlap }: NetworkLeases, rows: readonly AddressRow[]): string {
  const { ASSIGNED, COOLDOWN, RESERVED, FREE, outside, ...doubts } = rowCounts(rows)
  const known = sets.filter(set => set.length > 0)
  const subnets = known.map(set => set.map(({ subnet }) => subnet).join('+')).join(', ') || 'ranges unknown'
  const apart = overlap === 'allow' ? ', apart from other networks' : ''
  const lost = outside > 0 ? `, ${outside} outside of its ranges` : ''
  const doubtful = Object.entries(doubts).flatMap(([word, count]) =>
    count > 0n ? `, ${count} ${DOUBTS[word as keyof typeof DOUBTS]}` : [],
  )
  const counts = `${ASSIGNED} assigned${doubtful.join('')}, ${COOLDOWN} cooling down, ${RESERVED} reserved, ${FREE} free${lost}`
  return `# ${network} (${subnets}${apart}): ${counts}`
}

const DOUBTS = { LEAKED: 'leaked', SUSPECT: 'suspect', CONFLICT: 'in conflict' } as const

interface Column {
  readonly title: string
  readonly cell: (row: AddressRow, now: number) => string
}

const NONE = '<none>'

const NARROW: readonly Column[] = [
  { title: 'IP', cell: ipCell },
  { title: 'STATUS', cell: statusCell },
  { title: 'POD', cell: podCell },
]

const WIDE: readonly Column[] = [
  { title: 'CONTAINER', cell: ({ lease }) => lease?.container ?? NONE },
  { title: 'IFNAME', cell: ({ lease }) => lease?.ifname || NONE },
  { title: 'NETNS', cell: ({ lease }) => lease?.netns ?? NONE },
  { title: 'SINCE', cell: ({ lease }) => timeCell(lease?.at) },
  { title: 'UNTIL', cell: ({ lease }) => timeCell(lease?.until) },
  { title: 'UID', cell: ({ lease }) => lease?.uid ?? NONE },
]

function ipCell({ family, first, last }: AddressRow): string {
  const [from, to] = [addressFromNumber(family, first), addressFromNumber(family, last)]
  return first === last ? from : `${from}-${to}`
}

function statusCell({ status, first, last, lease }: AddressRow, now: number): string {
  if (first !== last) return `${status} (${last - first + 1n})`
  if (lease?.until === undefined) return status
  return `${status} (${formatDuration(Math.max(1, Math.ceil((lease.until - now) / 1000)) * 1000)})`
}

/** A container that no pod is known of is named by itself, as `crictl` abbreviates it. */
function podCell({ status, lease, reason, isOutside }: AddressRow): string {
  if (lease === undefined) return reason === undefined ? NONE : `<${reason}>`
  const name = lease.pod ?? `<container ${lease.container.slice(0, 13)}>`
  if (status === 'CONFLICT') return `${name} <${reason}>`
  return isOutside ? `${name} <outside of the ranges>` : name
}

function timeCell(at: number | undefined): string {
  return at === undefined ? NONE : `${new Date(at).toISOString().slice(0, 19)}Z`
}
