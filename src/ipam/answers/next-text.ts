import type { NextAddress } from '#ipam/leases/changes/next-addresses.ts'
import { aligned } from '#ipam/table/aligned.ts'
import { freeOf } from '#ipam/table/fullness.ts'
import { roundedDuration } from '#values/duration.ts'
import { subnetsText } from './status-table.ts'

// The address that each set gives next → a line each, or JSON.

export function nextText(sets: readonly NextAddress[], now: number): string {
  const rows = sets.map(set => [
    ...[set.network, subnetsText(set.ranges), set.address ?? '<none>'],
    set.address === undefined ? fullText(set, now) : `${freeOf(set.usage)} free`,
  ])
  return aligned([['NETWORK', 'RANGE', 'NEXT', 'WHY'], ...rows]).join('\n')
}

function fullText({ usage: { size, assigned, cooling, elsewhere, freeAt } }: NextAddress, now: number): string {
  const wait = freeAt === undefined ? '' : ` (the first is free in ${roundedDuration(Math.max(0, freeAt - now))})`
  const others = elsewhere > 0 ? `, ${elsewhere} used elsewhere` : ''
  return `none of ${size} is free: ${assigned} leased, ${cooling} cooling down${wait}${others}`
}

export function nextJson(sets: readonly NextAddress[]): string {
  const next = sets.map(({ network, set, address, usage: { freeAt } }) => ({
    ...{ network, set, address: address ?? null },
    ...(address === undefined && freeAt !== undefined && { freeAt: new Date(freeAt).toISOString() }),
  }))
  return JSON.stringify({ next }, undefined, 2)
}
