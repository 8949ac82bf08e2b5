import { fieldProblems } from '../spec/checked.ts'
import { kept, withListedIPs } from '../spec/kept.ts'
import { type ServiceSpec, withOneSpelling } from '../spec/service-spec.ts'
import { changeProblems } from '../spec/unchanged.ts'
import { withClusterIPs } from './cluster-ips.ts'
import { withFamilies } from './families.ts'
import { withNodePorts } from './node-ports.ts'
import type { ServicePool } from './pool.ts'
import { refuseWith } from './refused.ts'

/**
 * A Service's spec as it was sent, with defaults → as kube-apiserver 1.36 stores it: families, cluster IPs, node ports and the
 * health check port. What it had stays its own; what it gives up is what `stored` has and the answer has not. Throws
 * AllocationRefused, and then nothing is allocated.
 */
export function allocate(sent: ServiceSpec, stored: ServiceSpec | undefined, pool: ServicePool): ServiceSpec {
  const before = stored && withListedIPs(withOneSpelling(stored))
  const spec = kept(withOneSpelling(sent), before)
  refuseWith(fieldProblems(spec))
  const settled = withFamilies(spec, before, pool.families)
  if (before !== undefined) refuseWith(changeProblems(settled, before))
  return withNodePorts(withClusterIPs(settled, before, pool), before, pool)
}
