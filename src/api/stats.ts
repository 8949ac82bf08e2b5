import type { Kind } from './objects.ts'

// How the watching goes, in numbers that health and metrics read whenever they like.

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

/** Written by the reflectors alone. */
export type ApiStats = Readonly<Record<Kind, ResourceStats>>

export function freshStats(): ApiStats {
  return { Service: fresh(), EndpointSlice: fresh(), Node: fresh() }
}

function fresh(): ResourceStats {
  const counters = { lists: 0, watches: 0, gone: 0, silences: 0, malformed: 0, failures: 0 }
  return { lastActivityAt: 0, synced: false, objects: 0, ...counters }
}
