import type { Event } from '#kubernetes/event.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Family } from '#values/address.ts'

/** Calls at what happens, besides log and health. */
export interface Observer {
  /** The cluster has taken an event. */
  readonly applied?: (event: Event) => void
  /** A change waits for this lane. */
  readonly queued?: (family: Family) => void
  readonly reported?: (report: Report) => void
}
