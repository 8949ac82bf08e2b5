import type { OverviewNode, OverviewService } from '#ipam/overview/cluster-facts.ts'
import type { AuditedAddress } from '#ipam/services/audit.ts'
import { addressesOf, heldPorts, type ServiceSpec } from '#ipam/services/spec/service-spec.ts'
import { type Address, parseAddress } from '#values/address.ts'
import { type Cidr, parseCidr } from '#values/cidr.ts'
import { createdAt, fieldsIn, listIn, nameOf, numberIn, type RawObject } from './raw-objects.ts'

// Objects of the API → what the table and the audit need of them. What cannot be read is left out, and named.

/** Called with a sentence for what is left out. */
export type LeftOut = (what: string) => void

export function nodeOf(object: RawObject, leftOut: LeftOut): OverviewNode {
  const name = nameOf(object)
  const { podCIDRs, podCIDR } = object.spec ?? {}
  const { addresses, allocatable, capacity } = object.status ?? {}
  const listed = listIn(podCIDRs)
  return {
    name,
    created: createdAt(object),
    podCIDRs: (listed.length > 0 ? listed : podCIDR ? [podCIDR] : []).flatMap(text =>
      given(parseCidr(text), `Node ${name}: spec.podCIDRs: ${JSON.stringify(text)} is no range`, leftOut),
    ),
    addresses: listIn(addresses).flatMap(item => {
      const { type, address } = fieldsIn(item)
      return type === 'InternalIP' || type === 'ExternalIP' ? (parseAddress(address) ?? []) : []
    }),
    maxPods: numberIn(fieldsIn(allocatable).pods) ?? numberIn(fieldsIn(capacity).pods),
  }
}

export function serviceOf(object: RawObject, leftOut: LeftOut): OverviewService {
  const name = nameOf(object)
  const { ports, ...rest } = fieldsIn(object.spec)
  const spec = { ...rest, ports: listIn(ports).map(fieldsIn) } as unknown as ServiceSpec
  const texts = addressesOf({ ...spec, clusterIPs: listIn(spec.clusterIPs) as readonly string[] })
  return {
    name,
    created: createdAt(object),
    clusterIPs: texts.flatMap(text =>
      given(parseAddress(text), `Service ${name}: cluster IP ${JSON.stringify(text)} is no address`, leftOut),
    ),
    nodePorts: heldPorts(spec).filter(port => Number.isSafeInteger(port)),
  }
}

export function addressOf(object: RawObject, leftOut: LeftOut): readonly AuditedAddress[] {
  const name = nameOf(object)
  const { group, resource, namespace, name: owner } = fieldsIn(fieldsIn(object.spec).parentRef)
  const isService = (group ?? '') === '' && resource === 'services' && typeof owner === 'string'
  return given(parseAddress(name), `IPAddress ${JSON.stringify(name)}: its name is no address`, leftOut).map(
    address => ({ address, service: isService ? `${namespace}/${owner}` : undefined }),
  )
}

export function rangesOf(object: RawObject, leftOut: LeftOut): readonly Cidr[] {
  return listIn(fieldsIn(object.spec).cidrs).flatMap(text =>
    given(parseCidr(text), `ServiceCIDR ${nameOf(object)}: ${JSON.stringify(text)} is no range`, leftOut),
  )
}

/** Of a pod that runs, or will, in a network of its own. */
export function podAddresses({ spec, status }: RawObject): readonly Address[] {
  const { phase, podIPs, podIP } = fieldsIn(status)
  if (fieldsIn(spec).hostNetwork === true || phase === 'Succeeded' || phase === 'Failed') return []
  const listed = listIn(podIPs).map(item => fieldsIn(item).ip)
  return (listed.length > 0 ? listed : [podIP]).flatMap(text => parseAddress(text) ?? [])
}

function given<T>(value: T | undefined, otherwise: string, leftOut: LeftOut): readonly T[] {
  if (value !== undefined) return [value]
  leftOut(otherwise)
  return []
}
