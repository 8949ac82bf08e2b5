import type { Refused } from '#proxy/sync/refusals/isolation.ts'
import type { Blocked, Report } from '#proxy/sync/report.ts'
import { CommandFailed } from '#system/must.ts'
import { FAMILY_LABEL } from '#values/address.ts'
import { roundedDuration } from '#values/duration.ts'
import type { Log } from './klog.ts'
import { serviceSentences } from './sentences.ts'

// A report of a sync → its lines in the log.

export function logReport(log: Log, report: Report): void {
  const { said, warned } = serviceSentences(report)
  for (const sentence of said) log.say(sentence)
  for (const sentence of warned) log.warning(sentence)
  const about = { mode: report.mode, ipFamily: FAMILY_LABEL[report.family] }
  if (report.failure !== undefined) {
    logFailure(log.with(about), report.failure)
    return
  }
  if (report.flows.error !== undefined) {
    log.error('Could not delete stale conntrack entries; they stay pending', report.flows.error, about)
  }
  if (report.drift.count > 0) {
    log.warning('Another program had changed our rules; they are restored', { ...about, ...report.drift })
  }
  logBlocked(log, report.blocked ?? [], about)
  logRefused(log, report.refused ?? [], about)
  const { units, commands, bytes, looked, tookMs, stages, flows } = report
  const level = units.added + units.changed + units.removed > 0 ? 2 : 4
  log.info(level, 'Sync complete', {
    ...about,
    elapsed: roundedDuration(tookMs),
    stages: rounded(stages),
    looked,
    ...units,
    commands,
    bytes,
    forgottenFlows: flows.forgotten,
  })
}

function rounded(stages: Report['stages']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(stages).map(([stage, ms]) => [stage, roundedDuration(ms)]))
}

/** Units that cannot be deleted yet, each with the foreign rule that leads to it. */
export function logBlocked(log: Log, blocked: readonly Blocked[], about: Readonly<Record<string, string>>): void {
  if (blocked.length === 0) return
  log.warning('Emptied what cannot be deleted: foreign rules lead there', {
    ...about,
    blocked: blocked.slice(0, BLOCKED_SHOWN).map(({ unit, by }) => `${unit}: ${by}`),
    count: blocked.length,
  })
}

function logRefused(log: Log, refused: readonly Refused[], about: Readonly<Record<string, string>>): void {
  for (const { owner, unit, error } of refused.slice(0, REFUSED_SHOWN)) {
    const near = error instanceof CommandFailed ? error.near(0) : []
    const facts = { ...about, service: owner, unit, ...(near.length > 0 && { near }), count: refused.length }
    log.error('The kernel refuses the rules of a Service; all others are written', error, facts)
  }
}

const REFUSED_SHOWN = 5

/** Of many blocked chains, the first say why. */
const BLOCKED_SHOWN = 5

function logFailure(log: Log, { error, retryMs }: NonNullable<Report['failure']>): void {
  const near = error instanceof CommandFailed ? error.near(1) : []
  log.error('Sync failed', error, {
    ...(near.length > 0 && { near }),
    next: 'look again and rewrite what differs',
    in: roundedDuration(retryMs),
  })
}
