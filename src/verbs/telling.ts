import type { Event } from '#api/event.ts'
import type { ApiNews } from '#api/news.ts'
import type { Parked, Report } from '#sync/report.ts'
import { CommandFailed } from '#system/must.ts'
import type { Log } from '#telemetry/klog.ts'
import { serviceSentences } from '#telemetry/sentences.ts'
import { FAMILY_LABEL } from '#values/address.ts'
import { formatDuration } from '#values/duration.ts'

// Events and reports → what the log says of them.

export function tellReport(log: Log, report: Report): void {
  const lane = log.at('lane.ts:41')
  const { said, warned } = serviceSentences(report)
  for (const sentence of said) lane.say(sentence)
  for (const sentence of warned) lane.warning(sentence)
  const about = { mode: report.mode, ipFamily: FAMILY_LABEL[report.family] }
  if (report.failure !== undefined) {
    tellFailure(log.at('sync.ts:41').with(about), report.failure)
    return
  }
  if (report.flows.error !== undefined) {
    lane.error('Could not forget stale connections; they are still owed', report.flows.error, about)
  }
  if (report.drift.count > 0) {
    lane.warning('Somebody else had changed our rules; they are as they should be again', { ...about, ...report.drift })
  }
  tellHeld(lane, report.parked ?? [], about)
  const { units, commands, bytes, looked, tookMs, stages, flows } = report
  const level = units.added + units.changed + units.removed > 0 ? 2 : 4
  lane.info(level, 'Sync complete', {
    ...about,
    elapsed: formatDuration(tookMs),
    stages,
    looked,
    ...units,
    commands,
    bytes,
    forgottenFlows: flows.forgotten,
  })
}

/** What ought to be gone, and who leads there. */
export function tellHeld(log: Log, parked: readonly Parked[], about: Readonly<Record<string, string>>): void {
  if (parked.length === 0) return
  log.warning('Left empty what cannot go, because rules that are not ours lead there', {
    ...about,
    held: parked.slice(0, HELD_SHOWN).map(({ unit, by }) => `${unit}: ${by}`),
    count: parked.length,
  })
}

/** Of many chains that cannot go, the first say why. */
const HELD_SHOWN = 5

function tellFailure(log: Log, { error, retryMs }: NonNullable<Report['failure']>): void {
  const near = error instanceof CommandFailed ? error.near(1) : []
  log.error('Sync failed', error, {
    ...(near.length > 0 && { near }),
    next: 'look again and rewrite what differs',
    in: formatDuration(retryMs),
  })
}

export function tellProblem(log: Log, { kind, name, problems }: Extract<Event, { type: 'problem' }>): void {
  log.at('decode.ts:1').warning('Left out what cannot be used', { kind, name, problems })
}

export function tellNews(log: Log): (news: ApiNews) => void {
  const reflector = log.at('reflector.ts:1')
  return news => {
    switch (news.what) {
      case 'synced':
        return reflector.info(0, 'Caches are synced', {
          resource: news.resource,
          objects: news.objects,
          took: formatDuration(news.tookMs),
        })
      case 'waiting':
        return reflector.warning('Waiting for the API server; rules stay as they are', about(news))
      case 'back':
        return reflector.info(0, 'The API server is back', {
          resource: news.resource,
          after: formatDuration(news.downMs),
        })
      case 'unauthorized':
        return reflector.warning('The API server does not know us; check the credentials', about(news))
      case 'forbidden':
        return reflector.warning('The API server does not let us watch; check the ClusterRole', about(news))
      case 'fallback':
        return reflector.info(0, 'Listing in pages, because this API server does not stream lists', about(news))
      case 'unselected':
        return reflector.info(
          0,
          'Watching without field selector, because this API server does not know it',
          about(news),
        )
      case 'absent':
        return reflector.info(0, 'Doing without what the API server does not serve, or not to us', about(news))
      case 'relisting':
        return reflector.info(2, 'Listing afresh, because the API server no longer has the history', about(news))
      case 'silent':
        return reflector.info(2, 'Connecting afresh, because the API server fell silent', about(news))
      case 'malformed':
        return reflector.warning('The API server sent what cannot be read; asking again', about(news))
    }
  }
}

function about(news: Extract<ApiNews, { reason: string }>): Record<string, string> {
  const { resource, reason } = news
  const retry: Record<string, string> = 'retryMs' in news ? { retry: formatDuration(news.retryMs) } : {}
  return { resource, reason, ...retry }
}
