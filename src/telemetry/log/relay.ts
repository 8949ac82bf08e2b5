import type { RelayEvent } from '#proxy/relay/relay-events.ts'
import type { Log } from './klog.ts'

// Events of the relay → lines in the log, in kube-proxy's words where it had any.

export function logRelayEvent(log: Log, event: RelayEvent): void {
  const { what: _, ...about } = event
  switch (event.what) {
    case 'ready':
      log.info(0, 'The relay is ready; by the limit of open files it can carry so many TCP connections', about)
      break
    case 'endpoints':
      if (log.v(1)) log.say(settingEndpoints(event))
      break
    case 'not opened':
      log.warning('Could not listen for this service port; trying again soon', about)
      break
    case 'full':
      log.warning('Clients were turned away: no open files are left for their connections; raise ulimit -n', about)
      break
    case 'unreachable':
      log.error('Failed to connect to balancer', new Error('failed to connect to an endpoint.'), about)
      break
    case 'crashed': {
      const { worker, error } = event
      log.error(CRASHED, error, { worker })
      break
    }
    case 'hung':
      log.warning(
        'A worker of the relay hung and was ended, and its connections with it; another takes its place',
        about,
      )
      break
    case 'replaced':
      log.info(0, 'Another worker of the relay has taken the place of the one that crashed or hung', about)
  }
}

const CRASHED = 'A worker of the relay crashed, and its connections with it; another takes its place'

function settingEndpoints({ name, endpoints }: Extract<RelayEvent, { what: 'endpoints' }>): string {
  return `LoadBalancerRR: Setting endpoints for ${name.replace(/^\w+ /, '')} to [${endpoints.join(' ')}]`
}
