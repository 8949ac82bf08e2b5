import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { ThisNode } from '#proxy/desired/this-node.ts'
import type { Mode } from '#proxy/modes/mode.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import type { Book } from '#proxy/plan/book.ts'
import { Draft } from '#proxy/sync/draft.ts'
import type { Family } from '#values/address.ts'
import { cidr, ip } from '../../../support/objects.ts'
import { textsOf } from '../../../support/units.ts'

// Objects → what nftables mode wants in the kernel for them.

export interface Where {
  readonly view?: Partial<NodeView>
  readonly masquerade?: ThisNode['masquerade']
}

const PODS = { ipv4: '10.244.0.0/16', ipv6: 'fd00:244::/32' } as const
const NODE_PORT_IPS = { ipv4: '10.99.0.2', ipv6: 'fd00:99::2' } as const

export function modeOf(family: Family): Mode {
  return nftables({ family, chainRemoval: 'at-once' })
}

export function viewOf(family: Family): NodeView {
  return {
    family,
    mark: 0x4000,
    localPods: { by: 'cidr', cidr: cidr(PODS[family]) },
    nodePortAddresses: [ip(NODE_PORT_IPS[family])],
    localhostNodePorts: false,
    masquerade: 'from-outside',
    dropInvalid: true,
    endpointComments: true,
  }
}

export function bookOf(objects: readonly ClusterObject[], family: Family = 'ipv4', where: Where = {}): Book {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const view = { ...viewOf(family), ...where.view }
  const { nodeIP } = view
  const thisNode = {
    ...{ family, nodeName: 'here', masquerade: where.masquerade ?? ('from-outside' as const) },
    ...(nodeIP !== undefined && { nodeIP }),
  }
  const draft = new Draft(cluster, modeOf(family), () => ({ thisNode, view, addresses: [] }))
  draft.update()
  return draft.book
}

/** What these objects add to a node without Services. */
export function added(
  objects: readonly ClusterObject[],
  family: Family = 'ipv4',
  where: Where = {},
): ReadonlyMap<string, string> {
  const bare = bookOf([], family, where).rules
  const more = [...bookOf(objects, family, where).rules].filter(([unit]) => !bare.has(unit))
  return new Map([...textsOf(new Map(more))].sort())
}
