import type { ObjectKind } from './objects.ts'

// How the watches are doing, in numbers that health and metrics read at any time.

export interface ResourceStats {
  /** When the API server last sent anything but a refusal, in milliseconds since the epoch; 0 before that. */
  lastActivityAt: number
  /** Whether the first complete picture has been delivered. */
  synced: boolean
  objects: number
  lists: number
  watches: number
  /** How often the history was gone (410). */
  gone: number
  /** How often a connection had fallen silent. */
  silences: number
  malformed: number
  /** Attempts that ended with any error, the above among them. */
  failures: number
}

/** What every mode needs, and what is watched only where a mode asks for it. */
export type NeededKind = Exclude<ObjectKind, ExtraKind>
export type ExtraKind = 'ServiceCIDR'

/** Written by the reflectors alone. */
export type ApiStats = Readonly<Record<NeededKind, ResourceStats> & Partial<Record<ExtraKind, ResourceStats>>>

export function freshStats(extras: readonly ExtraKind[] = []): ApiStats {
  const extra = extras.includes('ServiceCIDR') ? { ServiceCIDR: fresh() } : {}
  return { Service: fresh(), EndpointSlice: fresh(), Node: fresh(), ...extra }
}

export function fresh(): ResourceStats {
  const counters = { lists: 0, watches: 0, gone: 0, silences: 0, malformed: 0, failures: 0 }
  return { lastActivityAt: 0, synced: false, objects: 0, ...counters }
}
