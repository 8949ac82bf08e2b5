import { addressesOf, type ServiceSpec } from '#ipam/services/spec/service-spec.ts'
import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { parseAddress } from '#values/address.ts'
import { IP_ADDRESSES } from '../requests/resources.ts'

// Cluster IPs of Services ⇄ IPAddress objects: the object is there while the address is held, and its creation is the lock.

export function specOf({ spec }: ApiObject): ServiceSpec {
  return (spec ?? {}) as ServiceSpec
}

/** What the change of a Service takes is written before it, and what it gives up goes after it: never two owners. */
export function changeAddresses(
  store: ApiStore,
  { before, after }: { readonly before: ApiObject | undefined; readonly after: ApiObject | undefined },
): { readonly take: () => void; readonly release: () => void } {
  const [had, has] = [before, after].map(one => new Set(one === undefined ? [] : addressesOf(specOf(one))))
  return {
    take: () => {
      for (const ip of has!) if (!had!.has(ip)) takeAddress(store, ip, after!)
    },
    release: () => {
      for (const ip of had!) if (!has!.has(ip)) store.erase(IP_ADDRESSES, undefined, ip)
    },
  }
}

/** For Services that were put into the store as they are, as the API server does at its start. */
export function adoptAddresses(store: ApiStore): void {
  for (const service of store.list('Service'))
    for (const ip of addressesOf(specOf(service)))
      if (store.get(IP_ADDRESSES, undefined, ip) === undefined) takeAddress(store, ip, service)
}

function takeAddress(store: ApiStore, ip: string, { metadata: { namespace, name } }: ApiObject): void {
  const address = parseAddress(ip)
  if (address === undefined) return
  const labels = {
    'ipaddress.kubernetes.io/ip-family': ip.includes(':') ? 'IPv6' : 'IPv4',
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
  }
  const parentRef = { group: '', resource: 'services', namespace, name }
  store.write(IP_ADDRESSES, { metadata: { name: address, labels }, spec: { parentRef } })
}
