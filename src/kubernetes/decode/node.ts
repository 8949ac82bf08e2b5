import type { V1Node, V1NodeSpec, V1NodeStatus } from '@kubernetes/client-node'
import type { Address } from '#values/address.ts'
import type { Cidr } from '#values/cidr.ts'
import { addressAt, cidrAt } from './addresses.ts'
import { type Decoded, isGiven, itemsOf, nameAt, Problems, textOf, uidOf, unusable, usable } from './checks.ts'
import { type FieldsOf, fieldsOf, unproven } from './fields.ts'
import { interned } from './interned.ts'

// A v1 Node → what is kept of it: where it is, how it is reached, whether it is leaving.

const ZONE_LABEL = 'topology.kubernetes.io/zone'

export function decodeNode(json: unknown): Decoded {
  const raw = fieldsOf(unproven<V1Node>(json))
  const problems = new Problems()
  const metadata = fieldsOf(raw.metadata)
  const name = nameAt('Node', metadata, problems)
  if (name === undefined) return unusable('Node', metadata, problems)
  const spec = fieldsOf(raw.spec)
  const zone = interned(fieldsOf(metadata.labels)[ZONE_LABEL])
  const node = {
    kind: 'Node' as const,
    name,
    uid: uidOf(metadata),
    addresses: addresses(fieldsOf(raw.status), problems),
    podCIDRs: podCIDRs(spec, problems),
    deleting: isGiven(metadata.deletionTimestamp),
    taints: taints(spec, problems),
    ...(zone !== undefined && { zone }),
  }
  return usable(node, problems)
}

/** Internal addresses before external ones, each in its order; host names and DNS names are not for us. */
function addresses(status: FieldsOf<V1NodeStatus>, problems: Problems): readonly Address[] {
  const internal: Address[] = []
  const external: Address[] = []
  for (const [i, item] of itemsOf(status.addresses, 'status.addresses', problems).entries()) {
    const { type, address } = fieldsOf(item)
    if (type !== 'InternalIP' && type !== 'ExternalIP') continue
    const ip = addressAt(`status.addresses[${i}].address`, address, problems)
    if (ip !== undefined) (type === 'InternalIP' ? internal : external).push(ip)
  }
  return [...internal, ...external]
}

function podCIDRs(spec: FieldsOf<V1NodeSpec>, problems: Problems): readonly Cidr[] {
  const listed = itemsOf(spec.podCIDRs, 'spec.podCIDRs', problems)
  const single = textOf(spec.podCIDR)
  if (listed.length === 0 && single !== undefined) return ranges([single], () => 'spec.podCIDR', problems)
  return ranges(listed, i => `spec.podCIDRs[${i}]`, problems)
}

function ranges(items: readonly unknown[], path: (i: number) => string, problems: Problems): readonly Cidr[] {
  const kept: Cidr[] = []
  for (const [i, item] of items.entries()) {
    const cidr = cidrAt(path(i), item, '10.244.1.0/24', problems)
    if (cidr !== undefined) kept.push(cidr)
  }
  return kept
}

function taints(spec: FieldsOf<V1NodeSpec>, problems: Problems): readonly string[] {
  const keys = itemsOf(spec.taints, 'spec.taints', problems).map(item => interned(fieldsOf(item).key))
  return keys.filter(key => key !== undefined)
}
