import { adoptAddresses } from '#lab/api-server/services/ip-addresses.ts'
import { clusterIPRanges, type ServiceRangeFlags } from '#lab/api-server/services/service-ranges.ts'
import type { ApiStore } from '#lab/api-server/store.ts'
import { addressFromNumber, addressNumber } from '#values/address.ts'
import { baseAddress, cidrFamily } from '#values/cidr.ts'

// The Service `kubernetes`, by which pods find the API server: the first address of the range, and the API server as its endpoint.

const NAME = 'kubernetes'
const HTTPS = 443

export interface OwnEndpoint {
  /** IPv4. */
  readonly address: string
  readonly port: number
}

/** The cluster IP that the certificate of the API server must name, too. */
export function ownClusterIP(services: ServiceRangeFlags): string {
  const [first] = clusterIPRanges(services)
  return addressFromNumber(cidrFamily(first!), addressNumber(baseAddress(first!)) + 1n)
}

/** As kube-apiserver does it at each of its starts; what stands is as it should be then. */
export function publish(store: ApiStore, services: ServiceRangeFlags, { address, port }: OwnEndpoint): void {
  const ip = ownClusterIP(services)
  // A range of IPv6 alone has no way to an IPv4 endpoint.
  if (ip.includes(':')) return
  const labels = { component: 'apiserver', provider: NAME }
  store.put({
    ...{ apiVersion: 'v1', kind: 'Service', metadata: { name: NAME, namespace: 'default', labels } },
    spec: {
      ...{ type: 'ClusterIP', clusterIP: ip, clusterIPs: [ip], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
      ...{ internalTrafficPolicy: 'Cluster', sessionAffinity: 'None' },
      ports: [{ name: 'https', protocol: 'TCP', port: HTTPS, targetPort: port }],
    },
    status: { loadBalancer: {} },
  })
  store.put({
    ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4' },
    metadata: { name: NAME, namespace: 'default', labels: { 'kubernetes.io/service-name': NAME } },
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
    ports: [{ name: 'https', protocol: 'TCP', port }],
  })
  adoptAddresses(store)
}
