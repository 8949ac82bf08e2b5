import { isDeepStrictEqual } from 'node:util'
import type { EndpointSlice } from '#lab/client/objects.ts'
import type { Endpoint, EndpointGroup } from './endpoints.ts'

// The endpoints of a group, and the slices there are for it → which slice has which, with as few of them changed as can be.

export interface PackedSlice {
  /** Absent: a new one. */
  readonly slice?: EndpointSlice
  readonly endpoints: readonly Endpoint[]
  readonly isChanged: boolean
}

export interface Packed {
  readonly slices: readonly PackedSlice[]
  readonly spare: readonly EndpointSlice[]
}

/** So many endpoints stand in one slice. */
export const MOST = 100

/** One empty slice says that there are no endpoints. */
export function packed(group: EndpointGroup, slices: readonly EndpointSlice[]): Packed {
  const { kept, fresh } = inPlace(group, slices)
  // Those that are written at any rate first, then the fullest.
  const byNeed = [...kept].sort((a, b) => b.isChanged - a.isChanged || b.endpoints.length - a.endpoints.length)
  for (const one of byNeed) {
    const more = fresh.splice(0, Math.max(0, MOST - one.endpoints.length))
    if (more.length === 0) continue
    one.endpoints.push(...more)
    one.isChanged = 1
  }
  const added: PackedSlice[] = []
  while (fresh.length > 0) added.push({ endpoints: fresh.splice(0, MOST), isChanged: true })
  const used = kept.filter(({ endpoints }) => endpoints.length > 0)
  const isEmpty = used.length + added.length === 0
  if (isEmpty && kept.length === 0) return { slices: [{ endpoints: [], isChanged: true }], spare: [] }
  const stay = isEmpty ? kept.slice(0, 1) : used
  const all = stay.map(({ isChanged, ...one }) => ({ ...one, isChanged: isChanged === 1 }))
  const spare = kept.filter(one => !stay.includes(one)).map(({ slice }) => slice)
  return { slices: [...all, ...added], spare }
}

interface Kept {
  readonly slice: EndpointSlice
  readonly endpoints: Endpoint[]
  isChanged: 0 | 1
}

/** Endpoints stay where they are, and what is new has no place yet. */
function inPlace(group: EndpointGroup, slices: readonly EndpointSlice[]): { kept: readonly Kept[]; fresh: Endpoint[] } {
  const left = new Map(group.endpoints)
  const kept = slices.map((slice): Kept => {
    const before = slice.endpoints ?? []
    const endpoints = before.flatMap(({ addresses: [address = ''] }) => {
      const next = left.get(address)
      left.delete(address)
      return next === undefined ? [] : [next]
    })
    return { slice, endpoints, isChanged: isDeepStrictEqual(endpoints, before) ? 0 : 1 }
  })
  return { kept, fresh: [...left.values()] }
}
