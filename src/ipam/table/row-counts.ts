import type { AddressRow, AddressStatus } from './address-rows.ts'

// Rows → how many addresses have which status, and the other way to look at free ones: each by itself.

export type RowCounts = Readonly<Record<AddressStatus, bigint>> & { readonly outside: number }

export function rowCounts(rows: readonly AddressRow[]): RowCounts {
  const counts = {
    ASSIGNED: 0n,
    LEAKED: 0n,
    SUSPECT: 0n,
    CONFLICT: 0n,
    COOLDOWN: 0n,
    RESERVED: 0n,
    FREE: 0n,
    outside: 0,
  }
  for (const { status, first, last, isOutside } of rows) {
    counts[status] += last - first + 1n
    if (isOutside) counts.outside++
  }
  return counts
}

/** Stretches up to this length are shown address by address: a few gaps between pods are easier to read so. */
const SHORT = 4n
/** Also where all are asked for, a longer stretch stays one row: a /64 has more addresses than a terminal has time. */
const LONGEST = 65_536n

export function spread(rows: readonly AddressRow[], free: 'short' | 'all'): readonly AddressRow[] {
  const limit = free === 'all' ? LONGEST : SHORT
  return rows.flatMap(row => {
    const length = row.last - row.first + 1n
    if (row.status !== 'FREE' || length > limit) return [row]
    return Array.from({ length: Number(length) }, (_, i) => {
      const number = row.first + BigInt(i)
      return { ...row, first: number, last: number }
    })
  })
}
