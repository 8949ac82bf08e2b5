import type { Event } from '#kubernetes/event.ts'
import type { ApiNotice } from '#kubernetes/notices.ts'
import { roundedDuration } from '#values/duration.ts'
import type { Log } from './klog.ts'

// What is wrong with objects, and the state of the connection to the API server → lines in the log.

/** What was left out of an object, and what was kept although other programs may read it otherwise. Most events have neither. */
export function logObject(log: Log, event: Event): void {
  if (event.type === 'problem') {
    const { kind, name, problems } = event
    log.warning('Left out what cannot be used', { kind, name, problems })
  }
  if (event.type === 'put' && event.warnings !== undefined) {
    const { object, warnings } = event
    log.warning('Kept what should be written otherwise', { kind: object.kind, name: object.name, warnings })
  }
}

export function logNotices(log: Log): (news: ApiNotice) => void {
  return news => {
    switch (news.what) {
      case 'synced':
        return log.info(0, 'Caches are synced', {
          resource: news.resource,
          objects: news.objects,
          took: roundedDuration(news.tookMs),
        })
      case 'waiting':
        return log.warning('Waiting for the API server; rules stay as they are', about(news))
      case 'back':
        return log.info(0, 'The API server is back', {
          resource: news.resource,
          after: roundedDuration(news.downMs),
        })
      case 'unauthorized':
        return log.warning('The API server does not know us; check the credentials', about(news))
      case 'forbidden':
        return log.warning('The API server does not let us watch; check the ClusterRole', about(news))
      case 'fallback':
        return log.info(0, 'Listing in pages, because this API server does not stream lists', about(news))
      case 'unselected':
        return log.info(0, 'Watching without field selector, because this API server does not know it', about(news))
      case 'absent':
        return log.info(0, 'Doing without what the API server does not serve, or not to us', about(news))
      case 'relisting':
        return log.info(2, 'Listing afresh, because the API server no longer has the history', about(news))
      case 'silent':
        return log.info(2, 'Connecting afresh, because the API server fell silent', about(news))
      case 'malformed':
        return log.warning('The API server sent what cannot be read; asking again', about(news))
    }
  }
}

function about(news: Extract<ApiNotice, { reason: string }>): Record<string, string> {
  const { resource, reason } = news
  const retry: Record<string, string> = 'retryMs' in news ? { retry: roundedDuration(news.retryMs) } : {}
  return { resource, reason, ...retry }
}
