import type { ApiObject } from '#lab/api-server/store.ts'
import { type Lab, openLab, type PodOptions } from '#lab/network/lab.ts'
import { withoutNames } from '#lab/network/namespaces.ts'
import type { Transport } from '#lab/network/pod/messages.ts'
import { NODE, NODE_POD_CIDRS, OUTSIDE } from '#lab/network/topology.ts'
import type { Kernel } from '#system/ports.ts'

// The example a newcomer meets: a small cluster as Kubernetes objects, and a lab in which all of it answers.
// fixtures/clusters/seed.yaml says the same in YAML; a test keeps the two equal.

export const SEED_NODE = 'sandbox'
const OTHER_NODE = 'sandbox-2'

interface SeedPod extends PodOptions {
  readonly nodeName: string
  readonly answers?: { readonly protocol: Transport; readonly port: number }
}

export const SEED_PODS: readonly SeedPod[] = [
  pod('db', { on: SEED_NODE, number: 2, answers: { protocol: 'tcp', port: 3306 } }),
  pod('web-1', { on: SEED_NODE, number: 3, answers: { protocol: 'tcp', port: 8080 } }),
  pod('web-2', { on: OTHER_NODE, number: 3, answers: { protocol: 'tcp', port: 8080 } }),
  pod('dns-1', { on: SEED_NODE, number: 4, answers: { protocol: 'udp', port: 53 } }),
  pod('client', { on: SEED_NODE, number: 9 }),
]

const [db, web1, web2, dns] = SEED_PODS as readonly [SeedPod, SeedPod, SeedPod, SeedPod]
const API_PORT = 6443

export const SEED_OBJECTS: readonly ApiObject[] = [
  {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: SEED_NODE, labels: { 'kubernetes.io/hostname': SEED_NODE, 'kubernetes.io/os': 'linux' } },
    spec: { podCIDR: NODE_POD_CIDRS[0], podCIDRs: NODE_POD_CIDRS },
    status: {
      addresses: [
        { type: 'InternalIP', address: NODE.ip4 },
        { type: 'InternalIP', address: NODE.ip6 },
        { type: 'Hostname', address: SEED_NODE },
      ],
    },
  },

  service('kubernetes', { clusterIPs: ['10.96.0.1'], ports: [port('https', 443, API_PORT)] }),
  slice('kubernetes', { suffix: '', port: port('https', API_PORT), endpoints: [{ addresses: [OUTSIDE.ip4] }] }),

  service('db-service', { clusterIPs: ['10.103.132.104'], ports: [port('3306', 3306)], selector: { app: 'db' } }),
  slice('db-service', { suffix: '-x7k2p', port: port('3306', 3306), endpoints: [endpoint(db, 'ip4')] }),

  service('web', {
    type: 'NodePort',
    clusterIPs: ['10.103.10.20', 'fd10:96::a14'],
    ports: [{ ...port('http', 80, 8080), nodePort: 30080 }],
    selector: { app: 'web' },
  }),
  slice('web', {
    suffix: '-b4m9c',
    port: port('http', 8080),
    endpoints: [endpoint(web1, 'ip4'), endpoint(web2, 'ip4')],
  }),
  slice('web', {
    suffix: '-v6t8n',
    port: port('http', 8080),
    endpoints: [endpoint(web1, 'ip6'), endpoint(web2, 'ip6')],
  }),

  service('dns', {
    clusterIPs: ['10.96.0.10'],
    ports: [{ ...port('dns', 53), protocol: 'UDP' }],
    selector: { app: 'dns' },
  }),
  slice('dns', { suffix: '-q2w5e', port: { ...port('dns', 53), protocol: 'UDP' }, endpoints: [endpoint(dns, 'ip4')] }),

  service('empty', { clusterIPs: ['10.103.20.30'], ports: [port('http', 80)], selector: { app: 'nobody' } }),
  slice('empty', { suffix: '-r3d1h', endpoints: [] }),
]

/** A lab in which every endpoint of the example answers with the name of its pod. Close it when done. */
export async function openSeedLab(kernel: Kernel): Promise<Lab> {
  const lab = await openLab(kernel, { pods: SEED_PODS.filter(isHere) })
  try {
    await withoutNames(kernel, lab.node.namespace)
    await Promise.all([
      lab.outside.listen('tcp', API_PORT, { name: 'kubernetes' }),
      ...SEED_PODS.map(pod => (isHere(pod) ? answerHere(lab, pod) : answerElsewhere(lab, pod))),
    ])
  } catch (error) {
    await lab.close()
    throw error
  }
  return lab
}

function isHere({ nodeName }: SeedPod): boolean {
  return nodeName === SEED_NODE
}

async function answerHere(lab: Lab, { name, answers }: SeedPod): Promise<void> {
  const host = lab.pods.find(host => host.name === name)
  if (answers !== undefined) await host?.listen(answers.protocol, answers.port)
}

/** The other node's pods have no namespaces of their own: they are addresses of that node. */
async function answerElsewhere(lab: Lab, { name, answers, ip4, ip6 }: SeedPod): Promise<void> {
  const addresses = lab.families.map(family => (family === 'ipv4' ? ip4 : ip6))
  for (const address of addresses) await lab.remote.addAddress(address)
  if (answers !== undefined) await lab.remote.listen(answers.protocol, answers.port, { name, addresses })
}

type PodPlace = Pick<SeedPod, 'answers'> & { readonly on: string; readonly number: number }

function pod(name: string, { on, number, answers }: PodPlace): SeedPod {
  const subnet = on === SEED_NODE ? 1 : 2
  const place = { name, nodeName: on, ip4: `10.244.${subnet}.${number}`, ip6: `fd00:244:${subnet}::${number}` }
  return answers === undefined ? place : { ...place, answers }
}

interface PortSpec {
  readonly name: string
  readonly protocol: string
  readonly port: number
  readonly targetPort?: number
  readonly nodePort?: number
}

function port(name: string, port: number, targetPort?: number): PortSpec {
  return { name, protocol: 'TCP', port, ...(targetPort !== undefined && { targetPort }) }
}

interface ServiceShape {
  readonly type?: 'ClusterIP' | 'NodePort'
  readonly clusterIPs: readonly [string, ...string[]]
  readonly ports: readonly PortSpec[]
  readonly selector?: Readonly<Record<string, string>>
}

/** As the API server would complete it; what only a stored object has (uid, timestamps) is left to the store. */
function service(name: string, { type = 'ClusterIP', clusterIPs, ports, selector }: ServiceShape): ApiObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: {
      type,
      clusterIP: clusterIPs[0],
      clusterIPs,
      ipFamilies: clusterIPs.map(ip => (ip.includes(':') ? 'IPv6' : 'IPv4')),
      ipFamilyPolicy: clusterIPs.length > 1 ? 'PreferDualStack' : 'SingleStack',
      ports,
      ...(selector !== undefined && { selector }),
      internalTrafficPolicy: 'Cluster',
      ...(type === 'NodePort' && { externalTrafficPolicy: 'Cluster' }),
      sessionAffinity: 'None',
    },
  }
}

interface SliceShape {
  readonly suffix: string
  readonly port?: PortSpec
  readonly endpoints: readonly { readonly addresses: readonly [string] }[]
}

function slice(service: string, { suffix, port, endpoints }: SliceShape): ApiObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: service + suffix, namespace: 'default', labels: { 'kubernetes.io/service-name': service } },
    addressType: endpoints[0]?.addresses[0].includes(':') ? 'IPv6' : 'IPv4',
    ports: port === undefined ? [] : [port],
    endpoints: endpoints.map(({ addresses, ...rest }) => ({
      addresses,
      conditions: { ready: true, serving: true, terminating: false },
      ...rest,
    })),
  }
}

function endpoint({ name, nodeName, ...addresses }: SeedPod, family: 'ip4' | 'ip6') {
  const targetRef = { kind: 'Pod', namespace: 'default', name }
  return { addresses: [addresses[family]] as const, nodeName, targetRef }
}
