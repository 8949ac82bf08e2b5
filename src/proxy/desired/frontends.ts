import type { ServicePort } from '#proxy/cluster/service-ports.ts'
import type { PoolChoice } from './pools.ts'
import type { Frontend } from './traffic.ts'
import { externalVerdict, internalVerdict } from './verdicts.ts'

// A service port → its frontends, each with what happens to a connection there.

export function frontends(port: ServicePort, choice: PoolChoice): readonly Frontend[] {
  const outward = externalVerdict(choice)
  const found: Frontend[] = []
  if (port.clusterIP !== undefined) {
    found.push({ kind: 'cluster-ip', ip: port.clusterIP, port: port.port, verdict: internalVerdict(port, choice) })
  }
  for (const ip of port.externalIPs) found.push({ kind: 'external-ip', ip, port: port.port, verdict: outward })
  for (const ip of port.loadBalancerIPs) {
    const sourceRanges = port.sourceRanges.length > 0 && { sourceRanges: port.sourceRanges }
    found.push({ kind: 'load-balancer', ip, port: port.port, verdict: outward, ...sourceRanges })
  }
  if (port.nodePort !== undefined) found.push({ kind: 'node-port', port: port.nodePort, verdict: outward })
  return found
}
