import type { SyncRecord, SyncSource } from '#page/views/syncs.ts'
import type { Report } from '#proxy/sync/report.ts'
import { errorText } from '#telemetry/log/klog-format.ts'
import { FAMILY_LABEL } from '#values/address.ts'

// Reports of syncs → the last of them, in few words each: two short lists, whatever happens.

const RECENT = 50
/** They are rare, and are looked for long after. */
const REPAIRS = 50
const NAMES = 5

export class SyncHistory implements Pick<SyncSource, 'recent' | 'repairs'> {
  /** The oldest first. */
  readonly #recent: SyncRecord[] = []
  readonly #repairs: SyncRecord[] = []

  record(report: Report): void {
    if (isIdle(report)) return
    const record = recordOf(report)
    keep(this.#recent, record, RECENT)
    if (isRepair(record)) keep(this.#repairs, record, REPAIRS)
  }

  recent(): readonly SyncRecord[] {
    return this.#recent.toReversed()
  }

  repairs(): readonly SyncRecord[] {
    return this.#repairs.toReversed()
  }
}

function keep(list: SyncRecord[], record: SyncRecord, most: number): void {
  list.push(record)
  if (list.length > most) list.shift()
}

/** One that found all as it should be, and did not read the kernel: hundreds of them would push the others out. */
function isIdle({ commands, looked, failure, drift, refused = [], serviceChanges, flows }: Report): boolean {
  const { added, updated, removed } = serviceChanges
  const changes = added.length + updated.length + removed.length
  return commands + drift.count + refused.length + changes + flows.forgotten === 0 && !looked && failure === undefined
}

function isRepair({ drift, refused, blocked, failure }: SyncRecord): boolean {
  return drift.count + refused.length + blocked.length > 0 || failure !== undefined
}

function recordOf(report: Report): SyncRecord {
  const { startedAt, family, tookMs, stages, units, commands, bytes, looked, serviceChanges, flows, drift } = report
  const { added, updated, removed } = serviceChanges
  const names = [added, updated, removed].flatMap(ports => ports.slice(0, NAMES).map(({ id }) => id))
  const { refused = [], blocked = [], failure } = report
  return {
    ...{ at: startedAt, family: FAMILY_LABEL[family], tookMs, stages: { ...stages }, units, commands, bytes, looked },
    changed: { count: added.length + updated.length + removed.length, names: [...new Set(names)].slice(0, NAMES) },
    connectionsEnded: flows.forgotten,
    drift,
    refused: refused.map(({ owner, unit, error }) => ({ owner, unit, reason: errorText(error) })),
    blocked,
    ...(failure !== undefined && { failure: { reason: errorText(failure.error), retryMs: failure.retryMs } }),
  }
}
