import { expect, test } from 'vitest'
import type { Endpoints, Pod, Service } from '#lab/client/objects.ts'
import { endpointsDecision } from '#lab/controllers/endpoint-slices/classic-endpoints.ts'
import { PaperCluster, podOf, runningOn } from '../paper-cluster.ts'

const LABELS = { app: 'web' }

function serviceOf(spec: Partial<Service['spec']> = {}): Service {
  const ports = [{ name: '', port: 80, targetPort: 8080, protocol: 'TCP' }]
  const whole = { clusterIP: '10.96.0.10', ipFamilies: ['IPv4', 'IPv6'], selector: LABELS, ports, ...spec }
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'default', name: 'web' }, spec: whole }
}

function web(index: number, ready: 'True' | 'False', deletionTimestamp?: string): Pod {
  const ending = deletionTimestamp === undefined ? {} : { deletionTimestamp }
  const { spec, status } = runningOn('node-1', `10.244.0.${index}`, ready)
  const podIPs = [{ ip: `10.244.0.${index}` }, { ip: `fd00:244::${index}` }]
  const metadata = { namespace: 'default', labels: LABELS, ...ending }
  return podOf(`web-${index}`, { metadata, spec: spec!, status: { ...status!, podIPs } })
}

/** Endpoints after the decision, after which nothing is left to decide. */
function decided(service: Service, ...pods: readonly Pod[]): Endpoints | undefined {
  const cluster = new PaperCluster()
  cluster.put(service)
  for (const pod of pods) cluster.put(pod)
  const current = () => endpointsDecision(cluster.one<Service>('Service', 'default/web')!, cluster)
  cluster.apply(current())
  expect(current().writes).toEqual([])
  return cluster.one<Endpoints>('Endpoints', 'default/web')
}

test('Endpoints have the first family of a Service, ready or not, and none that is ending', () => {
  const endpoints = decided(serviceOf(), web(2, 'True'), web(1, 'True'), web(3, 'False'), web(4, 'True', 'now'))
  const address = (index: number) => {
    const targetRef = { kind: 'Pod', namespace: 'default', name: `web-${index}` }
    return { ip: `10.244.0.${index}`, nodeName: 'node-1', targetRef }
  }
  expect(endpoints?.subsets).toMatchObject([
    {
      addresses: [address(1), address(2)],
      notReadyAddresses: [address(3)],
      ports: [{ port: 8080, protocol: 'TCP' }],
    },
  ])
  expect(endpoints?.metadata.ownerReferences).toMatchObject([{ kind: 'Service', name: 'web' }])
})

test('Endpoints of a Service without pods are empty, and of one without a selector there are none of ours', () => {
  expect(decided(serviceOf())?.subsets).toEqual([])
  expect(decided(serviceOf({ selector: {} }))).toBeUndefined()
  expect(decided(serviceOf({ publishNotReadyAddresses: true }), web(1, 'True', 'now'))?.subsets).toHaveLength(1)
})

test('Endpoints of a Service of the same name that is no more get the new one as their owner', () => {
  const cluster = new PaperCluster()
  const decide = () => endpointsDecision(cluster.one<Service>('Service', 'default/web')!, cluster)
  cluster.put(serviceOf())
  cluster.apply(decide())
  cluster.remove(serviceOf())
  const { uid } = cluster.put(serviceOf()).metadata
  cluster.apply(decide())
  expect(cluster.one<Endpoints>('Endpoints', 'default/web')?.metadata.ownerReferences).toMatchObject([{ uid }])
  expect(decide().writes).toEqual([])
})
