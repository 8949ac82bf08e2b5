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

/** `meanwhile`: what becomes of the kernel or the cluster while the API server cannot be reached. */
export function logNotices(log: Log, meanwhile = 'rules stay as they are'): (notice: ApiNotice) => void {
  return notice => {
    switch (notice.what) {
      case 'synced':
        return log.info(0, 'Caches are synced', {
          resource: notice.resource,
          objects: notice.objects,
          took: roundedDuration(notice.tookMs),
        })
      case 'waiting':
        return log.warning(`Waiting for the API server; ${meanwhile}`, about(notice))
      case 'back':
        return log.info(0, 'The API server is back', {
          resource: notice.resource,
          after: roundedDuration(notice.downMs),
        })
      case 'unauthorized':
        return log.warning('The API server does not know us; check the credentials', about(notice))
      case 'forbidden':
        return log.warning('The API server does not let us watch; check the ClusterRole', about(notice))
      case 'fallback':
        return log.info(0, 'Listing in pages, because this API server does not stream lists', about(notice))
      case 'unselected':
        return log.info(0, 'Watching without field selector, because this API server does not know it', about(notice))
      case 'absent':
        return log.info(0, 'Doing without what the API server does not serve, or not to us', about(notice))
      case 'relisting':
        return log.info(2, 'Listing afresh, because the API server no longer has the history', about(notice))
      case 'silent':
        return log.info(2, 'Connecting afresh, because the API server fell silent', about(notice))
      case 'malformed':
        return log.warning('The API server sent what cannot be read; asking again', about(notice))
    }
  }
}

function about(notice: Extract<ApiNotice, { reason: string }>): Record<string, string> {
  const { resource, reason } = notice
  const retry: Record<string, string> = 'retryMs' in notice ? { retry: roundedDuration(notice.retryMs) } : {}
  return { resource, reason, ...retry }
}
