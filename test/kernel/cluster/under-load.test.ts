import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Deployment, Pod, Service } from '#lab/client/objects.ts'
import { type Cluster, openCluster } from '#lab/cluster/cluster.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { whyNot } from '../ground.ts'
import type { Attempt, SteadyClientOptions } from '../steady-client-program.ts'
import { type Program, program } from '../traffic.ts'
import { clusterProgram } from './cluster-program.ts'

// A cluster whose nodes divide one range: while clients on each node and beyond them connect all the time, the API server ends and
// comes back, and the agents change their mode.

const STEADY_CLIENT = fileURLToPath(new URL('../steady-client-program.ts', import.meta.url))
const KEY = { namespace: 'default', name: 'web' }
const LABELS = { app: 'web' }
const PATIENCE = { timeout: 120_000, interval: 100 }

const SERVICE: Service = {
  ...{ apiVersion: 'v1', kind: 'Service', metadata: KEY },
  spec: { selector: LABELS, ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }] },
}

const DEPLOYMENT = {
  ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: KEY },
  spec: {
    replicas: 4,
    selector: { matchLabels: LABELS },
    template: {
      metadata: { labels: LABELS },
      spec: { containers: [{ name: 'main', image: 'switchyard/answers', ports: [{ containerPort: 8080 }] }] },
    },
  },
} as Deployment

describe('a cluster on a ring', () => {
  let why: string | undefined
  let cluster: Cluster
  let address = ''
  const clients: Program[] = []

  beforeAll(async () => {
    why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack', 'musl-gcc'])
    if (why !== undefined) return
    cluster = await openCluster(hostKernel(), { nodes: 2, ipam: 'ring', clock: systemClock, dist: clusterProgram() })
    const { client } = cluster.workloads
    address = (await client.create(SERVICE)).spec?.clusterIP ?? ''
  }, 240_000)
  afterAll(async () => {
    for (const client of clients) await client.stop()
    await cluster?.close()
  }, 60_000)

  const available = async () =>
    (await cluster.workloads.client.get<Deployment>('Deployment', KEY))?.status?.availableReplicas
  /** Of each client, oldest first. */
  const attemptsDuring = async (change: () => Promise<void>): Promise<readonly (readonly Attempt[])[]> => {
    const options: SteadyClientOptions = { to: address, port: 80, everyMs: 20, patienceMs: 60_000, mostOpen: 10 }
    const from = [cluster.outside.namespace, ...cluster.nodes.map(({ namespace }) => namespace)]
    const started = from.map(namespace => program({ namespace }, [STEADY_CLIENT, JSON.stringify(options)]))
    clients.push(...started)
    for (const one of started) await one.next()
    await change()
    for (const one of started) one.writeLine('stop')
    const attempts: (readonly Attempt[])[] = []
    for (const one of started) attempts.push(await one.next<readonly Attempt[]>())
    return attempts
  }
  /** Those that had no answer. */
  const underLoad = async (change: () => Promise<void>): Promise<readonly Attempt[]> => {
    const attempts = (await attemptsDuring(change)).flat()
    expect(attempts.length).toBeGreaterThan(100)
    return attempts.filter(({ end }) => end !== 'answered')
  }

  test('gives pods of both nodes addresses of the one range, and the first of them are reached from everywhere', async context => {
    if (why !== undefined) context.skip(why)
    const attempts = await attemptsDuring(async () => {
      await cluster.workloads.client.create(DEPLOYMENT)
      await expect.poll(available, PATIENCE).toBe(4)
      for (const { name } of [cluster.outside, ...cluster.nodes]) {
        const asked = async () => (await hostKernel().run(cluster.shell.command(`${name} ask ${address} 80`))).stdout
        await expect.poll(asked, PATIENCE).toMatch(/^web-/)
      }
      // For each client to ask once more.
      await systemClock.sleep(1000)
    })
    for (const ofClient of attempts) {
      const ends = ofClient.map(({ end }) => end)
      // A Service without endpoints refuses; before that, the agents have no rules yet.
      const since = ends.findIndex(end => end === 'ECONNREFUSED' || end === 'answered')
      expect(new Set(ends.slice(since)).difference(new Set(['ECONNREFUSED', 'answered']))).toEqual(new Set())
      expect(ends).toContain('answered')
    }
    const pods = await cluster.workloads.client.list<Pod>('Pod', { namespace: 'default' })
    expect(new Set(pods.map(({ spec }) => spec?.nodeName)).size).toBe(2)
    for (const { status } of pods) expect(status?.podIP).toMatch(/^10\.(3[2-9]|4[0-7])\./)
    await expect.poll(() => underLoad(() => systemClock.sleep(1500)), PATIENCE).toEqual([])
  }, 240_000)

  test('loses no request while the API server is away, and follows what was changed afterwards', async context => {
    if (why !== undefined) context.skip(why)
    const lost = await underLoad(async () => {
      await cluster.controlPlane.restart(() => systemClock.sleep(2000))
      await cluster.workloads.client.patch('Deployment', KEY, { spec: { replicas: 6 } })
      await expect.poll(available, PATIENCE).toBe(6)
    })
    expect(lost).toEqual([])
    const names = async () => {
      const outcomes = await cluster.outside.connectMany(60, { to: address, port: 80 })
      return new Set(outcomes.map(outcome => (outcome.ok ? outcome.answer.name : outcome.error))).size
    }
    await expect.poll(names, PATIENCE).toBe(6)
  }, 240_000)

  test('loses no request while the agents go over to nftables mode', async context => {
    if (why !== undefined) context.skip(why)
    const lost = await underLoad(async () => {
      for (const node of cluster.nodes) await cluster.restartAgent(node, ['--proxy-mode=nftables'])
      for (const node of cluster.nodes)
        await expect.poll(() => node.logLines('run').join('\n'), PATIENCE).toContain('Using nftables Proxier.')
      const tables = async (argv: readonly [string, ...string[]]) =>
        (await cluster.nodes[0]!.kernel.run({ does: 'other', argv })).stdout
      await expect.poll(() => tables(['nft', 'list', 'table', 'ip', 'kube-proxy']), PATIENCE).toContain(address)
      await expect.poll(() => tables(['iptables', '-t', 'nat', '-S']), PATIENCE).not.toContain('KUBE-SVC')
    })
    expect(lost).toEqual([])
  }, 240_000)
})
