import type { OverviewNode, StatedRanges } from '#ipam/overview/cluster-facts.ts'
import type { Ring } from '#ipam/ring/ring.ts'
import { writtenObjects } from '#kubernetes/sources/files.ts'
import { ADDRESS_BITS, type Address, addressNumber, FAMILIES } from '#values/address.ts'
import { baseAddress, type Cidr, cidrFamily, parseCidr, prefixLength, prefixOf } from '#values/cidr.ts'
import { fieldsIn, type RawObject } from './raw-objects.ts'

// Where it is said which range the cluster has for pods, and which for Services: flags, objects, kubeadm's configuration; else a guess.

export interface StatedBy {
  readonly flag: readonly Cidr[]
  readonly kubeadm: RawObject | undefined
}

export function clusterRangesStated(
  { flag, kubeadm }: StatedBy,
  nodes: readonly OverviewNode[],
  ring: Ring | undefined,
): StatedRanges {
  if (flag.length > 0) return { cidrs: flag, from: 'that of --cluster-cidr' }
  const written = kubeadmRanges(kubeadm, 'podSubnet')
  if (written.length > 0) return { cidrs: written, from: 'that of ConfigMap kube-system/kubeadm-config' }
  const held = nodes.flatMap(({ podCIDRs }) => podCIDRs)
  if (held.length === 0 && ring !== undefined) return { cidrs: [], from: '' }
  const cidrs = FAMILIES.flatMap(family => smallestAround(held.filter(cidr => cidrFamily(cidr) === family)) ?? [])
  return {
    cidrs,
    from: 'a guess, the smallest that has the ranges of all nodes; say it with --cluster-cidr',
    isGuess: true,
  }
}

export function serviceRangesStated({ flag, kubeadm }: StatedBy, objects: readonly Cidr[]): StatedRanges {
  if (objects.length > 0) return { cidrs: objects, from: 'as in the ServiceCIDRs' }
  if (flag.length > 0) return { cidrs: flag, from: 'that of --service-cluster-ip-range' }
  const written = kubeadmRanges(kubeadm, 'serviceSubnet')
  return { cidrs: written, from: 'that of ConfigMap kube-system/kubeadm-config' }
}

/** Kubeadm's configuration is a YAML text in a ConfigMap. */
function kubeadmRanges(object: RawObject | undefined, field: 'podSubnet' | 'serviceSubnet'): readonly Cidr[] {
  const text = fieldsIn(object?.data).ClusterConfiguration
  if (typeof text !== 'string') return []
  try {
    const [value] = writtenObjects([{ name: 'kubeadm-config', text }]).map(
      ({ raw }) => fieldsIn(fieldsIn(raw).networking)[field],
    )
    return typeof value === 'string' ? value.split(',').flatMap(one => parseCidr(one.trim()) ?? []) : []
  } catch {
    return []
  }
}

function smallestAround(cidrs: readonly Cidr[]): Cidr | undefined {
  const [first] = cidrs
  if (first === undefined) return undefined
  const bits = ADDRESS_BITS[cidrFamily(first)]
  const bases = cidrs.map(baseAddress)
  const [least, most] = [bases.reduce(lower), bases.reduce(higher)]
  const differ = (addressNumber(least) ^ addressNumber(most)).toString(2).replace(/^0+/, '').length
  const length = Math.min(bits - differ, ...cidrs.map(prefixLength))
  return prefixOf(least, length)
}

function lower(a: Address, b: Address): Address {
  return addressNumber(a) <= addressNumber(b) ? a : b
}

function higher(a: Address, b: Address): Address {
  return addressNumber(a) >= addressNumber(b) ? a : b
}
