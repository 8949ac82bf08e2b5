import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deployment, EndpointSlice, Node, Pod, Service } from '#lab/client/objects.ts'
import { type Cluster, openCluster } from '#lab/cluster/cluster.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { whyNot } from '../ground.ts'
import type { Attempt, SteadyClientOptions } from '../steady-client-program.ts'
import { type Program, program } from '../traffic.ts'
import { clusterProgram } from './cluster-program.ts'

// A cluster with both programs on each node: pods come, are replaced and go while clients connect all the time.

const STEADY_CLIENT = fileURLToPath(new URL('../steady-client-program.ts', import.meta.url))
const LABELS = { app: 'web' }
const KEY = { namespace: 'default', name: 'web' }
const PATIENCE = { timeout: 120_000, interval: 100 }

function webOf(replicas: number, revision: string): Deployment {
  const containers = [{ name: 'main', image: 'switchyard/answers', ports: [{ containerPort: 8080 }] }]
  const metadata = { labels: { ...LABELS, revision } }
  const template = { metadata, spec: { containers, terminationGracePeriodSeconds: 120 } }
  const spec = { replicas, selector: { matchLabels: LABELS }, template } as Deployment['spec']
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: KEY, ...(spec && { spec }) }
}

function serviceOf(): Service {
  const ports = [{ port: 80, targetPort: 8080, protocol: 'TCP' }]
  return { apiVersion: 'v1', kind: 'Service', metadata: KEY, spec: { selector: LABELS, ports } }
}

describe('a cluster', () => {
  let why: string | undefined
  let cluster: Cluster
  let address = ''

  beforeAll(async () => {
    why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack', 'musl-gcc'])
    if (why !== undefined) return
    const nodeLife = { renewMs: 1_000, graceMs: 8_000, evictAfterMs: 1_000 }
    cluster = await openCluster(hostKernel(), { nodes: 3, clock: systemClock, nodeLife, dist: clusterProgram() })
    const service = await cluster.workloads.client.create(serviceOf())
    address = service.spec?.clusterIP ?? ''
  }, 120_000)
  afterAll(() => cluster?.close(), 60_000)

  const isComplete = async (replicas: number): Promise<boolean> => {
    const { status = {}, metadata } = (await cluster.workloads.client.get<Deployment>('Deployment', KEY))!
    const counts = [status.replicas, status.updatedReplicas, status.availableReplicas]
    return status.observedGeneration === metadata.generation && counts.every(count => count === replicas)
  }

  const revisions = async (): Promise<ReadonlySet<string | undefined>> => {
    const pods = await cluster.workloads.client.list<Pod>('Pod', { namespace: 'default', labelSelector: 'app=web' })
    return new Set(pods.map(({ metadata }) => metadata.labels?.revision))
  }

  test('replaces 20 pods under constant load without a lost request', async context => {
    if (why !== undefined) context.skip(why)
    const { client } = cluster.workloads
    await client.create(webOf(20, 'a'))
    await expect.poll(() => isComplete(20), PATIENCE).toBe(true)
    // Pods may be Ready before each agent has heard of the first of them.
    for (const { name } of [cluster.outside, ...cluster.nodes]) {
      const asked = async () => (await hostKernel().run(cluster.shell.command(`${name} ask ${address} 80`))).stdout
      await expect.poll(asked, PATIENCE).toMatch(/^web-/)
    }
    const options: SteadyClientOptions = { to: address, port: 80, everyMs: 10, patienceMs: 60_000, mostOpen: 10 }
    const from = [cluster.outside.namespace, ...cluster.nodes.map(({ namespace }) => namespace)]
    const clients: Program[] = from.map(namespace => program({ namespace }, [STEADY_CLIENT, JSON.stringify(options)]))
    try {
      for (const one of clients) await one.next()
      await client.patch('Deployment', KEY, { spec: webOf(20, 'b').spec! })
      await expect.poll(() => isComplete(20), PATIENCE).toBe(true)
      // Until the last of the old pods has ended.
      await expect.poll(revisions, PATIENCE).toEqual(new Set(['b']))
      for (const one of clients) one.writeLine('stop')
      for (const one of clients) {
        const attempts = await one.next<readonly Attempt[]>()
        expect(attempts.length).toBeGreaterThan(100)
        const numbered = attempts.map((attempt, number) => ({ ...attempt, number }))
        expect(numbered.filter(({ end }) => end !== 'answered')).toEqual([])
      }
    } finally {
      for (const one of clients) await one.stop()
    }
  }, 300_000)

  test('of which a node dies has its pods on the others, and no Service leads to it any more', async context => {
    if (why !== undefined) context.skip(why)
    const { client } = cluster.workloads
    const dead = cluster.nodes.at(-1)!
    await cluster.workloads.removeNode(dead.name)
    await dead.die()
    const readyOn = async (): Promise<readonly (string | undefined)[]> => {
      const slices = await client.list<EndpointSlice>('EndpointSlice', {
        namespace: 'default',
        labelSelector: `kubernetes.io/service-name=${KEY.name}`,
      })
      const endpoints = slices.flatMap(({ endpoints = [] }) => endpoints)
      return endpoints.filter(({ conditions }) => conditions?.ready).map(({ nodeName }) => nodeName)
    }
    await expect.poll(async () => (await readyOn()).includes(dead.name), PATIENCE).toBe(false)
    await expect.poll(async () => (await readyOn()).length, PATIENCE).toBe(20)
    // The rules follow the slices within moments.
    const answered = async (): Promise<boolean> => {
      const outcomes = await cluster.outside.connectMany(60, { to: address, port: 80 })
      return outcomes.every(({ ok }) => ok)
    }
    await expect.poll(answered, PATIENCE).toBe(true)
    const node = await client.get<Node>('Node', { name: dead.name })
    expect(node?.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
    })
  }, 300_000)
})
