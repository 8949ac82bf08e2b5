import type { ServicePort } from '#proxy/cluster/service-ports.ts'
import { isOutward, type PoolChoice } from './pools.ts'
import type { Admission, Gate, Verdict } from './traffic.ts'

// Policy and pools → what happens at each frontend.

const REJECT: Verdict = { to: 'reject' }
const DROP: Verdict = { to: 'drop' }
const GATE: Verdict = { to: 'gate' }

/** What happens at the cluster IP. */
export function internalVerdict({ internalPolicy }: ServicePort, { any, cluster, local }: PoolChoice): Verdict {
  if (!any) return REJECT
  const pool = internalPolicy === 'Local' ? 'local' : 'cluster'
  return (pool === 'local' ? local : cluster).length > 0 ? { to: 'pool', pool } : DROP
}

/** What happens at an address that faces outside. */
export function externalVerdict({ any }: PoolChoice): Verdict {
  return any ? GATE : REJECT
}

/** What traffic from outside may do; undefined where no frontend faces outside, or no endpoint could answer. */
export function gate(port: ServicePort, { any, local }: PoolChoice): Gate | undefined {
  if (!any || !isOutward(port)) return undefined
  if (port.externalPolicy === 'Cluster') return { policy: 'Cluster' }
  return { policy: 'Local', others: local.length > 0 ? 'local' : 'drop' }
}

/** Who is admitted: where policy is Local and no endpoint is on this node, insiders alone. */
export function admission({ to }: Verdict, outside: Gate | undefined): Admission {
  if (to === 'reject' || to === 'drop') return 'none'
  return to === 'gate' && outside?.policy === 'Local' && outside.others === 'drop' ? 'insiders' : 'all'
}
