import type { ClusterObject } from '#kubernetes/objects.ts'
import { rulesOf } from '#proxy/agent/cluster-rules.ts'
import { paperMode } from '#proxy/agent/fit-mode.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { HostNetwork } from '#proxy/node/node-view.ts'
import type { Family } from '#values/address.ts'
import { accepted } from '../config/parsing.ts'
import { cidr, endpoint, ip, node, port, service, slice } from '../support/objects.ts'
import { textsOf } from '../support/units.ts'

// A command line → the rules this node would have for one cluster that has something of everything.

const OBJECTS: readonly ClusterObject[] = [
  node('here', { addresses: [ip('10.99.0.2')], podCIDRs: [cidr('10.7.0.0/24')] }),
  service('shop/web', ['10.96.0.10'], {
    type: 'LoadBalancer',
    ports: [port({ port: 80, nodePort: 30080 })],
    loadBalancerIPs: [ip('198.18.0.7')],
    sourceRanges: [cidr('10.99.0.0/24')],
  }),
  slice('shop/web-1', 'shop/web', [endpoint('10.244.1.3')]),
]

const MACHINE: HostNetwork = {
  addresses: { ipv4: ['127.0.0.1', '10.99.0.2', '192.0.2.7'].map(ip), ipv6: [] },
  liberalConntrack: false,
}

export interface Given {
  readonly argv?: readonly string[]
  /** What --config reads; its header is added. */
  readonly file?: string
  readonly family?: Family
}

/** One line a unit's line, the unit's name before it. */
export async function rules({ family = 'ipv4', ...given }: Given): Promise<string> {
  const { settings } = await accepted(given)
  const cluster = new Cluster()
  for (const object of OBJECTS) cluster.apply({ type: 'put', object })
  const viewpoint = { mode: paperMode(settings, family), family, nodeName: 'here', hostNetwork: MACHINE }
  const all = textsOf(rulesOf(cluster, { settings }, viewpoint))
  return [...all].map(([unit, text]) => `${unit}\n${text}\n`).join('')
}
