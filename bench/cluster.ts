import type { V1EndpointSlice, V1Node, V1Service } from '@kubernetes/client-node'

// A number of Services and endpoints → Kubernetes objects of a made-up cluster of that size, and the one Service a bench
// really connects to.

export interface Size {
  readonly services: number
  readonly endpoints: number
}

export const PROBE = { name: 'probe', namespace: 'bench', ip: '10.111.255.250', port: 80, targetPort: 8080 }

/**
 * Above 1,000 endpoints rules have no comments. With these 100 × 10 is above that whether or not the probed Service has an
 * endpoint; otherwise every change of it would write all rules anew.
 */
const ONE_MORE = [service('one-more', '10.111.255.249'), slice('one-more', ['10.127.255.1'])]

export const NODE_NAME = 'bench'

export function crowd({ services, endpoints }: Size): readonly (V1Service | V1EndpointSlice)[] {
  const all = Array.from({ length: services }, (_, i) => [
    service(`crowd-${i}`, `10.${96 + (i >> 13)}.${(i >> 5) & 255}.${1 + (i & 31) * 7}`),
    slice(
      `crowd-${i}`,
      Array.from({ length: endpoints }, (_, j) => endpointAddress(i * endpoints + j)),
    ),
  ])
  return [...all.flat(), ...ONE_MORE]
}

/** Without its Node a proxy waits for half a minute, and is not ready. */
export function benchNode(address: string): V1Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: NODE_NAME },
    spec: {},
    status: { addresses: [{ type: 'InternalIP', address }] },
  }
}

export function probeService(): V1Service {
  return service(PROBE.name, PROBE.ip)
}

/** The slice of that Service; the store gives each state of it another resourceVersion, as the endpoint controller's writes do. */
export function probeSlice(addresses: readonly string[]): V1EndpointSlice {
  return slice(PROBE.name, addresses)
}

function service(name: string, ip: string): V1Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: PROBE.namespace },
    spec: {
      type: 'ClusterIP',
      clusterIP: ip,
      clusterIPs: [ip],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      internalTrafficPolicy: 'Cluster',
      sessionAffinity: 'None',
      selector: { app: name },
      ports: [{ name: 'http', protocol: 'TCP', port: PROBE.port, targetPort: PROBE.targetPort }],
    },
  }
}

function slice(name: string, addresses: readonly string[]): V1EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-x`, namespace: PROBE.namespace, labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', protocol: 'TCP', port: PROBE.targetPort }],
    endpoints: addresses.map(address => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'elsewhere',
    })),
  }
}

function endpointAddress(n: number): string {
  return `10.${128 + (n >> 16)}.${(n >> 8) & 255}.${n & 255}`
}
