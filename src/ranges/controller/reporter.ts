import { type BlockLevel, blockLevel } from '#ipam/nodes/block-level.ts'
import { findingEvent, leaderEvent, levelEvent, type NamedObject } from '#ipam/nodes/finding-event.ts'
import { assignmentFailed, type FamilyCounts, type NodeFinding } from '#ipam/nodes/findings.ts'
import type { RangesReport } from '#ipam/nodes/ranges-controller.ts'
import type { EventWriter } from '#kubernetes/event-writer.ts'
import type { LeadershipChange } from '#kubernetes/writes/leadership.ts'
import type { Clock } from '#system/ports.ts'
import { burstLines } from '#telemetry/log/burst.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { NodeRangesMetrics } from '#telemetry/numbers/node-ranges.ts'
import { type Cidr, overlaps } from '#values/cidr.ts'
import { roundedDuration } from '#values/duration.ts'

// What rounds have done, and who leads → log lines, Events and metrics; and whether all is well.

export interface ReporterParts {
  readonly hostname: string
  readonly identity: string
  readonly record: NamedObject
  readonly lease: NamedObject
  readonly clock: Clock
  readonly log: Log
  readonly events: Pick<EventWriter, 'send'>
  readonly metrics: NodeRangesMetrics
}

/** A leader whose rounds have all failed for this long is not healthy. */
const OVERDUE_MS = 180_000

export class RangesReporter {
  readonly #parts: ReporterParts
  #leadsSince: number | undefined
  #doneAt = Number.NEGATIVE_INFINITY
  #failure: string | undefined
  #leaseFailure: string | undefined
  readonly #levels = new Map<string, BlockLevel>()
  /** By uid: what was said of a Node in the last round. */
  #said: ReadonlyMap<string, string> = new Map()
  /** By uid: Nodes that were not written. Once means nearly always that the list was behind. */
  #refused: ReadonlySet<string> = new Set()

  constructor(parts: ReporterParts) {
    this.#parts = parts
  }

  /** Undefined where all is well. */
  trouble(): string | undefined {
    const since = this.#leadsSince
    if (since === undefined) return undefined
    const late = this.#parts.clock.now() - Math.max(since, this.#doneAt)
    if (late < OVERDUE_MS) return undefined
    return `no round has succeeded for ${roundedDuration(late)}: ${this.#failure ?? 'the Nodes have not been listed yet'}`
  }

  /** Works without a Lease. */
  unelected(): void {
    this.#leadsSince = this.#parts.clock.now()
  }

  leadership(change: LeadershipChange): void {
    const { log, metrics, events, lease, identity } = this.#parts
    const lock = nameText(lease)
    switch (change.what) {
      case 'leading':
        this.#leadsSince = this.#parts.clock.now()
        this.#leaseFailure = undefined
        metrics.leads('yes')
        log.info(0, 'Successfully acquired lease', { lock })
        events.send(leaderEvent(this.#by(), lease, { identity, what: 'became leader' }))
        break
      case 'stopped':
        this.#leadsSince = undefined
        metrics.leads('no')
        log.warning('Stopped leading: the Lease was not renewed in time', { lock, next: 'asking for it again' })
        events.send(leaderEvent(this.#by(), lease, { identity, what: 'stopped leading' }))
        break
      case 'waiting':
        log.info(0, 'Another process leads', { lock, holder: change.holder })
        break
      case 'released':
        log.info(0, 'Released lease', { lock })
        break
      default:
        this.#leaseFailed(change)
    }
  }

  round(report: RangesReport): void {
    const { log, metrics } = this.#parts
    if (this.#failure !== undefined) log.info(0, 'Rounds succeed again')
    this.#doneAt = this.#parts.clock.now()
    this.#failure = undefined
    const { set, refused, failed, conflicts, recordWrites } = report
    const result = failed.length === 0 ? 'done' : 'partly'
    metrics.round({
      result,
      conflicts,
      set: set.length,
      refused: refused.length,
      failed: failed.length,
      recordWrites,
    })
    this.#logWrites(report)
    for (const counts of report.counts) this.#range(counts, report)
    this.#findings([...report.findings, ...this.#unset(report)])
  }

  failed(error: unknown, againMs: number): void {
    const { log, metrics } = this.#parts
    metrics.round({ result: 'failed', conflicts: 0, set: 0, refused: 0, failed: 0, recordWrites: 0 })
    const why = error instanceof Error ? error.message : String(error)
    // An API server that is away for an hour is one line, unless more is asked for.
    if (why !== this.#failure)
      log.error('Ranges of nodes could not be compared', error, { retry: roundedDuration(againMs) })
    else log.info(2, 'Ranges of nodes could not be compared', { why, retry: roundedDuration(againMs) })
    this.#failure = why
  }

  #leaseFailed({ error, leads }: Extract<LeadershipChange, { what: 'failed' }>): void {
    const { log, lease } = this.#parts
    const why = error instanceof Error ? error.message : String(error)
    const pairs = { lock: nameText(lease), leads, why }
    if (why !== this.#leaseFailure) log.warning('The Lease could not be read or written', pairs)
    else log.info(2, 'The Lease could not be read or written', pairs)
    this.#leaseFailure = why
  }

  #logWrites({ set, released, refused }: RangesReport): void {
    const { log } = this.#parts
    for (const { name, podCIDRs } of set) log.info(0, 'Set node PodCIDR', { node: name, podCIDRs })
    for (const { name, blocks } of released)
      log.info(0, 'Released CIDRs of a deleted node', { node: name, CIDRs: blocks })
    for (const { patch, why } of refused) log.info(1, 'A Node was not as it was listed', { node: patch.name, why })
  }

  #range(counts: FamilyCounts, { given, released, searches }: RangesReport): void {
    const { range, total, used, excluded, free } = counts
    const { log, metrics, events, record } = this.#parts
    metrics.range({
      ...{ clusterCIDR: range, total, used, excluded, free },
      given: within(range, given),
      released: within(range, released),
      tries: searches.filter(search => search.range === range).map(({ passed }) => passed),
    })
    const level = blockLevel(counts)
    const before = this.#levels.get(range) ?? 'roomy'
    this.#levels.set(range, level)
    if (level === before) return
    const pairs = { range, blocks: total, used, excluded, free }
    if (level === 'full')
      log.warning('The range of the cluster is full', { ...pairs, next: 'new nodes get no podCIDRs' })
    else if (level === 'near') log.warning('The range of the cluster is nearly full', pairs)
    else log.info(0, 'The range of the cluster has room again', pairs)
    events.send(levelEvent(this.#by(), record, { counts, level }))
  }

  #unset({ refused, failed }: RangesReport): readonly NodeFinding[] {
    const again = refused.filter(({ patch }) => this.#refused.has(patch.uid))
    this.#refused = new Set(refused.map(({ patch }) => patch.uid))
    return [...again, ...failed].map(({ patch, why }) => assignmentFailed(patch, patch.podCIDRs, why))
  }

  /** What is as it was is not said again; an Event is, where it is old. */
  #findings(findings: readonly NodeFinding[]): void {
    const { log, metrics, events } = this.#parts
    const isNew = findings.filter(({ node, reason }) => !this.#said.get(node.uid)?.includes(reason))
    const lines = isNew.map(({ reason, message }) => `${reason}: ${message}`)
    for (const line of burstLines(lines, 'nodes')) log.warning(line)
    const said = new Map<string, string>()
    const counts = new Map<string, number>()
    for (const finding of findings) {
      const { node, reason } = finding
      said.set(node.uid, `${said.get(node.uid) ?? ''} ${reason}`)
      counts.set(reason, (counts.get(reason) ?? 0) + 1)
      events.send(findingEvent(this.#by(), finding))
    }
    this.#said = said
    metrics.findings(counts)
  }

  #by() {
    return { hostname: this.#parts.hostname, now: this.#parts.clock.now() }
  }
}

function within(range: Cidr, holders: RangesReport['given']): number {
  return holders.filter(({ blocks }) => blocks.some(block => overlaps(block, range))).length
}

function nameText({ namespace, name }: NamedObject): string {
  return `${namespace}/${name}`
}
