import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EndpointSlice, Node, Pod, Service } from '#lab/client/objects.ts'
import { sliceDecision } from '#lab/controllers/endpoint-slices/endpoint-slices.ts'
import { PaperCluster, podOf, runningOn } from '../paper-cluster.ts'

const LABELS = { app: 'web' }

function serviceOf(spec: Partial<Service['spec']> = {}): Service {
  const ports = [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }]
  const whole = { clusterIP: '10.96.0.10', ipFamilies: ['IPv4'], selector: LABELS, ports, ...spec }
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'web', labels: { team: 'shop' } },
    spec: whole,
  }
}

function web(index: number, ready: 'True' | 'False' = 'True', more: Partial<Pod> = {}): Pod {
  const running = runningOn(`node-${index % 2}`, `10.244.0.${index}`, ready)
  const metadata = { namespace: 'default', labels: LABELS, ...more.metadata }
  return podOf(`web-${index}`, { ...running, ...more, metadata })
}

/** The slices after the decision, and how many of them were written or deleted. */
function decided(cluster: PaperCluster): { readonly slices: readonly EndpointSlice[]; readonly writes: number } {
  const service = cluster.one<Service>('Service', 'default/web')
  const decision = sliceDecision(service, cluster.list<EndpointSlice>('EndpointSlice'), cluster)
  cluster.apply(decision)
  const again = sliceDecision(service, cluster.list<EndpointSlice>('EndpointSlice'), cluster)
  expect(again.writes).toEqual([])
  return { slices: cluster.list<EndpointSlice>('EndpointSlice'), writes: decision.writes.length }
}

function clusterWith(service: Service, ...pods: readonly Pod[]): PaperCluster {
  const cluster = new PaperCluster()
  cluster.put(service)
  for (const pod of pods) cluster.put(pod)
  return cluster
}

describe('a slice', () => {
  test('has the addresses, the conditions and the place of each pod, and says whose it is', () => {
    const cluster = clusterWith(serviceOf(), web(1), web(2, 'False'))
    const zone = { 'topology.kubernetes.io/zone': 'zone-a' }
    cluster.put<Node>({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels: zone } })
    const [slice] = decided(cluster).slices
    expect(slice?.metadata).toMatchObject({
      labels: {
        team: 'shop',
        'kubernetes.io/service-name': 'web',
        'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
      },
      annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': cluster.time() },
      ownerReferences: [{ kind: 'Service', name: 'web', controller: true }],
    })
    expect(slice?.addressType).toBe('IPv4')
    expect(slice?.ports).toEqual([{ name: 'http', protocol: 'TCP', port: 8080 }])
    expect(slice?.endpoints).toMatchObject([
      {
        addresses: ['10.244.0.1'],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: 'node-1',
        zone: 'zone-a',
        targetRef: { kind: 'Pod', namespace: 'default', name: 'web-1' },
      },
      {
        addresses: ['10.244.0.2'],
        conditions: { ready: false, serving: false, terminating: false },
        nodeName: 'node-0',
      },
    ])
  })

  test('has a pod that is ending as long as it is there, serving but no longer ready', () => {
    const ending = { metadata: { namespace: 'default', name: 'web-1', labels: LABELS, deletionTimestamp: 'now' } }
    const conditions = (service: Service) =>
      decided(clusterWith(service, web(1, 'True', ending))).slices[0]?.endpoints?.[0]?.conditions
    expect(conditions(serviceOf())).toEqual({ ready: false, serving: true, terminating: true })
    const all = serviceOf({ publishNotReadyAddresses: true })
    expect(conditions(all)).toEqual({ ready: true, serving: true, terminating: true })
  })

  test('has neither pods without an address, nor those that have ended, nor those of other labels or namespaces', () => {
    const cluster = clusterWith(
      serviceOf(),
      web(1, 'True', { status: { phase: 'Pending' } }),
      web(2, 'True', { status: { phase: 'Succeeded', podIP: '10.244.0.2' } }),
      web(3, 'True', { metadata: { namespace: 'default', labels: { app: 'db' } } }),
      web(4, 'True', { metadata: { namespace: 'shop', labels: LABELS } }),
    )
    expect(decided(cluster).slices.map(({ endpoints }) => endpoints)).toEqual([[]])
  })

  test('of a headless Service is marked as such, and has the hostnames that pods ask for', () => {
    const named = runningOn('node-1', '10.244.0.1')
    const pod = web(1, 'True', { spec: { ...named.spec!, hostname: 'first', subdomain: 'web' } })
    const [slice] = decided(clusterWith(serviceOf({ clusterIP: 'None' }), pod)).slices
    expect(slice?.metadata.labels).toHaveProperty(['service.kubernetes.io/headless'], '')
    expect(slice?.endpoints?.[0]?.hostname).toBe('first')
  })

  test('has hints where the Service prefers what is near', () => {
    const cluster = clusterWith(serviceOf({ trafficDistribution: 'PreferSameNode' }), web(1))
    const labels = { 'topology.kubernetes.io/zone': 'zone-a' }
    cluster.put<Node>({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels } })
    const hints = decided(cluster).slices[0]?.endpoints?.[0]?.hints
    expect(hints).toEqual({ forZones: [{ name: 'zone-a' }], forNodes: [{ name: 'node-1' }] })
  })
})

describe('there is one slice', () => {
  test('for each family of a Service with two', () => {
    const both = { ...web(1), status: { ...web(1).status!, podIPs: [{ ip: '10.244.0.1' }, { ip: 'fd00:244::1' }] } }
    const cluster = clusterWith(serviceOf({ ipFamilies: ['IPv4', 'IPv6'] }), both)
    const addresses = decided(cluster).slices.map(({ addressType, endpoints }) => [
      addressType,
      endpoints?.[0]?.addresses,
    ])
    expect(addresses).toEqual([
      ['IPv4', ['10.244.0.1']],
      ['IPv6', ['fd00:244::1']],
    ])
  })

  test('for each number that a named port has on the pods', () => {
    const named = (index: number, containerPort: number) => {
      const ports = [{ name: 'web', containerPort }]
      return web(index, 'True', { spec: { nodeName: 'node-1', containers: [{ name: 'main', ports }] } })
    }
    const ports = [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' }]
    const cluster = clusterWith(serviceOf({ ports: ports as never }), named(1, 8080), named(2, 8080), named(3, 9090))
    const found = decided(cluster).slices.map(({ ports, endpoints }) => [ports?.[0]?.port, endpoints?.length])
    expect(found).toEqual([
      [8080, 2],
      [9090, 1],
    ])
  })

  test('that is empty where a Service has no pods, and the first pod comes into it', () => {
    const cluster = clusterWith(serviceOf())
    const [empty] = decided(cluster).slices
    expect(empty?.endpoints).toEqual([])
    cluster.put(web(1))
    const { slices, writes } = decided(cluster)
    expect([slices[0]?.metadata.name, slices[0]?.endpoints?.length, writes]).toEqual([empty?.metadata.name, 1, 1])
  })

  test.each<[string, Partial<Service['spec']>]>([
    ['no selector', { selector: {} }],
    ['a name elsewhere', { type: 'ExternalName' }],
  ])('of ours for none that has %s', (_, spec) => {
    expect(decided(clusterWith(serviceOf(spec), web(1))).slices).toEqual([])
  })
})

describe('of many endpoints', () => {
  const many = Array.from({ length: 250 }, (_, index) => web(index))

  test('a hundred stand in a slice, and one that changes changes one slice', () => {
    const cluster = clusterWith(serviceOf(), ...many)
    const sizes = () => decided(cluster).slices.map(({ endpoints }) => endpoints?.length)
    expect(sizes()).toEqual([100, 100, 50])
    cluster.put(web(120, 'False'))
    expect(decided(cluster).writes).toBe(1)
    cluster.remove(web(7))
    cluster.put(
      web(251, 'True', { status: { ...web(251).status!, podIP: '10.245.0.1', podIPs: [{ ip: '10.245.0.1' }] } }),
    )
    // The new one comes into the slice that is written at any rate.
    expect(decided(cluster).writes).toBe(1)
    expect(sizes()).toEqual([100, 100, 50])
  })

  test('a slice that lost its last goes, unless it is the only one', () => {
    const cluster = clusterWith(serviceOf(), ...many)
    decided(cluster)
    for (const pod of many.slice(0, 100)) cluster.remove(pod)
    expect(decided(cluster).slices).toHaveLength(2)
    for (const pod of many) cluster.remove(pod)
    expect(decided(cluster).slices.map(({ endpoints }) => endpoints)).toEqual([[]])
  })
})

test('whatever pods come and go, the slices name exactly those that are there, each once', () => {
  const step = fc.record({ index: fc.nat(150), what: fc.constantFrom('ready', 'unready', 'ending', 'gone') })
  fc.assert(
    fc.property(fc.array(fc.array(step, { maxLength: 40 }), { maxLength: 8 }), rounds => {
      const cluster = clusterWith(serviceOf())
      for (const steps of rounds) {
        for (const { index, what } of steps) {
          const metadata = {
            namespace: 'default',
            labels: LABELS,
            ...(what === 'ending' && { deletionTimestamp: 'now' }),
          }
          if (what === 'gone') cluster.remove(web(index))
          else cluster.put(web(index, what === 'unready' ? 'False' : 'True', { metadata }))
        }
        const { slices } = decided(cluster)
        const named = slices.flatMap(({ endpoints = [] }) => endpoints)
        const expected = cluster.list<Pod>('Pod').map(({ metadata, status }) => {
          const terminating = metadata.deletionTimestamp !== undefined
          const serving = status?.conditions?.[0]?.status === 'True'
          return `${status?.podIP} ${JSON.stringify({ ready: serving && !terminating, serving, terminating })}`
        })
        const found = named.map(({ addresses, conditions }) => `${addresses[0]} ${JSON.stringify(conditions)}`)
        expect(found.sort()).toEqual(expected.sort())
        expect(slices.every(({ endpoints = [] }) => endpoints.length <= 100)).toBe(true)
        expect(slices.filter(({ endpoints = [] }) => endpoints.length === 0).length).toBe(named.length === 0 ? 1 : 0)
      }
    }),
    { numRuns: 60 },
  )
})

test('slices of a Service of the same name that is no more go, and new ones come with that decision', () => {
  const cluster = clusterWith(serviceOf(), web(1))
  const [before] = decided(cluster).slices
  cluster.remove(serviceOf())
  const { uid } = cluster.put(serviceOf()).metadata
  const { slices } = decided(cluster)
  expect(slices).toMatchObject([{ metadata: { ownerReferences: [{ uid }] }, endpoints: [{}] }])
  expect(slices[0]?.metadata.name).not.toBe(before?.metadata.name)
})

test('only a Service without a cluster IP marks its slices as headless, whatever labels it has itself', () => {
  const labels = { 'service.kubernetes.io/headless': '' }
  const service = { ...serviceOf(), metadata: { ...serviceOf().metadata, labels } }
  expect(decided(clusterWith(service, web(1))).slices[0]?.metadata.labels).not.toHaveProperty([
    'service.kubernetes.io/headless',
  ])
})
