import { afterEach, describe, expect, test } from 'vitest'
import type { ApiObject, Deployment, EndpointSlice, Namespace, Node, Pod, Service } from '#lab/client/objects.ts'
import { type SmallCluster, smallCluster, webOf } from './small-cluster.ts'

// All controllers at once against the lab's API server, over HTTP, with kubelets that have no machines.

let cluster: SmallCluster | undefined

afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

const PATIENCE = { timeout: 20_000, interval: 20 }

function serviceOf(namespace = 'default'): Service {
  const spec = { selector: { app: 'web' }, ports: [{ port: 80, targetPort: 8080 }] }
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name: 'web' }, spec: spec as never }
}

/** What the stores of the API server say at this moment. */
function stored<T extends ApiObject>(kind: string): readonly T[] {
  return cluster!.server.store.list(kind) as never as readonly T[]
}

function ready(): readonly string[] {
  const endpoints = stored<EndpointSlice>('EndpointSlice').flatMap(({ endpoints = [] }) => endpoints)
  return endpoints.filter(({ conditions }) => conditions?.ready).flatMap(({ addresses }) => addresses)
}

function isComplete(replicas: number): boolean {
  const [deployment] = stored<Deployment>('Deployment')
  const { status = {}, metadata } = deployment!
  const counts = [status.replicas, status.updatedReplicas, status.availableReplicas]
  return status.observedGeneration === metadata.generation && counts.every(count => count === replicas)
}

describe('a Deployment with a Service', () => {
  test('comes up, is updated without an endpoint too few, and goes with all that it made', async () => {
    cluster = await smallCluster()
    const { client, server } = cluster
    await client.create(serviceOf())
    await client.create(webOf(6))
    await expect.poll(() => isComplete(6) && ready().length, PATIENCE).toBe(6)
    expect(new Set(stored<Pod>('Pod').map(({ spec }) => spec?.nodeName)).size).toBe(3)
    let fewest = 6
    const unsubscribe = server.store.subscribe(() => {
      fewest = Math.min(fewest, ready().length)
    })
    await client.patch('Deployment', { namespace: 'default', name: 'web' }, { spec: webOf(6, 'v2').spec! })
    await expect.poll(() => isComplete(6) && ready().length, PATIENCE).toBe(6)
    unsubscribe()
    expect(stored<Pod>('Pod').filter(({ spec }) => spec?.containers[0]?.image === 'v2')).toHaveLength(6)
    // Of 6, a quarter may be away at a time.
    expect(fewest).toBeGreaterThanOrEqual(5)
    await client.delete('Deployment', { namespace: 'default', name: 'web' })
    await expect
      .poll(() => [stored('ReplicaSet').length, stored('Pod').length, ready().length], PATIENCE)
      .toEqual([0, 0, 0])
    await client.delete('Service', { namespace: 'default', name: 'web' })
    await expect.poll(() => stored('EndpointSlice').length, PATIENCE).toBe(0)
    expect(cluster.trouble).toEqual([])
  })

  test('costs few writes: of each pod its making, its binding and its two Events', async () => {
    cluster = await smallCluster()
    const { client, server } = cluster
    await client.create(serviceOf())
    await client.create(webOf(30))
    await expect.poll(() => isComplete(30) && ready().length, PATIENCE).toBe(30)
    const count = (method: string, path: RegExp) =>
      server.requests.filter(it => it.method === method && path.test(it.path)).length
    expect(count('POST', /\/pods$/)).toBe(30)
    expect(count('POST', /\/binding$/)).toBe(30)
    expect(count('POST', /\/events$/)).toBeLessThanOrEqual(61)
    expect(count('PUT', /\/endpointslices\//)).toBeLessThanOrEqual(30)
    expect(count('PUT', /\/(deployments|replicasets)\//)).toBeLessThanOrEqual(60)
  })

  test('is what it should be in the end, whatever the API server and its connections do meanwhile', async () => {
    cluster = await smallCluster()
    const { client, server } = cluster
    await client.create(serviceOf())
    await client.create(webOf(5))
    const faults = [
      { do: 'status', code: 503, on: 'write', times: 8 },
      { do: 'reset', on: 'watch', times: 4 },
      { do: 'garble', on: 'watch', times: 3 },
      { do: 'error-event', code: 410, stream: 'closes', on: 'watch', times: 4 },
    ] as const
    for (const fault of faults) {
      server.inject(fault)
      server.inject({ do: 'compact' })
      server.dropConnections()
      const image = `v${faults.indexOf(fault) + 2}`
      const change = () =>
        client.patch('Deployment', { namespace: 'default', name: 'web' }, { spec: webOf(5, image).spec! })
      await expect.poll(() => change().then(() => 'done', String), PATIENCE).toBe('done')
    }
    await expect.poll(() => isComplete(5) && ready().length, PATIENCE).toBe(5)
    const images = () => stored<Pod>('Pod').map(({ spec }) => spec?.containers[0]?.image)
    await expect.poll(images, PATIENCE).toEqual(['v5', 'v5', 'v5', 'v5', 'v5'])
  })
})

test('pods that were made are not made again because the watch is late with them', async () => {
  cluster = await smallCluster()
  const { client, server } = cluster
  const made = () => server.requests.filter(({ method, path }) => method === 'POST' && path.endsWith('/pods')).length
  const undo = server.inject({ do: 'withhold', what: 'events', on: 'watch', resource: 'pods' })
  await client.create(webOf(5))
  await expect.poll(made, PATIENCE).toBe(5)
  const [set] = stored('ReplicaSet')
  for (const round of ['1', '2', '3']) {
    const { namespace = '', name = '' } = set!.metadata
    await client.patch('ReplicaSet', { namespace, name }, { metadata: { annotations: { round } } })
  }
  undo()
  await expect.poll(() => isComplete(5), PATIENCE).toBe(true)
  expect(made()).toBe(5)
})

test('a node that falls silent loses its pods to the others, and takes new ones when it is back', async () => {
  cluster = await smallCluster({ nodeGraceMs: 2_000, evictAfterMs: 0, orphanedPodMs: 50 })
  const { client, alive } = cluster
  await client.create(serviceOf())
  await client.create(webOf(6))
  await expect.poll(() => isComplete(6) && ready().length, PATIENCE).toBe(6)
  alive.delete('node-2')
  const readyOn = (name: string) => {
    const pods = new Map(stored<Pod>('Pod').map(({ status, spec }) => [status?.podIP, spec?.nodeName]))
    return ready().filter(address => pods.get(address) === name).length
  }
  await expect.poll(() => [ready().length, readyOn('node-2')], PATIENCE).toEqual([6, 0])
  const silent = () => stored<Node>('Node').find(({ metadata }) => metadata.name === 'node-2')
  expect(silent()?.status?.conditions).toMatchObject([{ type: 'Ready', status: 'Unknown' }])
  // Its pods are still there: no kubelet says that they have ended.
  expect(stored<Pod>('Pod').some(({ spec }) => spec?.nodeName === 'node-2')).toBe(true)
  alive.add('node-2')
  await expect.poll(() => silent()?.spec?.taints ?? [], PATIENCE).toEqual([])
  await client.delete('Node', { name: 'node-3' })
  await expect.poll(() => [ready().length, readyOn('node-3')], PATIENCE).toEqual([6, 0])
  // No kubelet is left there that could say so.
  const orphans = () => stored<Pod>('Pod').filter(({ spec }) => spec?.nodeName === 'node-3')
  await expect.poll(() => orphans().length, PATIENCE).toBe(0)
  await expect.poll(() => readyOn('node-2') > 0, PATIENCE).toBe(true)
})

test('a namespace goes with everything in it', async () => {
  cluster = await smallCluster()
  const { client } = cluster
  await client.create<Namespace>({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } })
  await client.create(serviceOf('shop'))
  await client.create(webOf(3, 'v1', 'shop'))
  await expect.poll(() => isComplete(3) && ready().length, PATIENCE).toBe(3)
  await client.delete('Namespace', { name: 'shop' })
  const left = () => ['Deployment', 'ReplicaSet', 'Pod', 'Service', 'EndpointSlice'].map(kind => stored(kind).length)
  const namespaces = () => stored('Namespace').map(({ metadata }) => metadata.name)
  await expect.poll(() => [left(), namespaces().includes('shop')], PATIENCE).toEqual([[0, 0, 0, 0, 0], false])
})

test.each([
  ['Foreground', 0],
  ['Background', 0],
  ['Orphan', 2],
] as const)('a Deployment that is deleted in the manner %s leaves %i pods', async (propagationPolicy, pods) => {
  cluster = await smallCluster()
  const { client } = cluster
  await client.create(webOf(2))
  await expect.poll(() => isComplete(2), PATIENCE).toBe(true)
  await client.delete('Deployment', { namespace: 'default', name: 'web' }, { propagationPolicy })
  const left = () => [stored('Deployment').length, stored('Pod').length]
  await expect.poll(left, PATIENCE).toEqual([0, pods])
  const sets = stored('ReplicaSet').map(({ metadata }) => metadata.ownerReferences)
  expect(sets).toEqual(propagationPolicy === 'Orphan' ? [undefined] : [])
})
