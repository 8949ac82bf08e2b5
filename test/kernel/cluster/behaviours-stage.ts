import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { isDeepStrictEqual } from 'node:util'
import { expect } from 'vitest'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import type { ApiObject, EndpointSlice, Pod, PodSpec, Service } from '#lab/client/objects.ts'
import { type Cluster, openCluster } from '#lab/cluster/cluster.ts'
import type { ClusterNode } from '#lab/cluster/node/cluster-node.ts'
import type { ConnectOutcome } from '#lab/network/pod/messages.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { clusterProgram } from './cluster-program.ts'

// Three nodes, of which the last has room for five pods and takes only those that name it; pods and Services in a few words.

const SMALL = '10.244.3.0/29'
/** That the last node has. */
export const ROOM = 5
export const PATIENCE = { timeout: 120_000, interval: 50 } as const

interface EventObject extends ApiObject {
  readonly involvedObject: { readonly name: string }
  readonly reason: string
  readonly message: string
}

interface DaemonEvent extends ApiObject {
  readonly regarding: { readonly name: string }
  readonly reason: string
  readonly note: string
}

export class BehavioursStage {
  readonly cluster: Cluster

  private constructor(cluster: Cluster) {
    this.cluster = cluster
  }

  static async open(): Promise<BehavioursStage> {
    const podCIDRs = { 3: [SMALL] }
    const cluster = await openCluster(hostKernel(), { nodes: 3, podCIDRs, clock: systemClock, dist: clusterProgram() })
    await cluster.workloads.client.patch('Node', { name: 'node-3' }, { spec: { unschedulable: true } })
    return new BehavioursStage(cluster)
  }

  get client(): ClusterClient {
    return this.cluster.workloads.client
  }

  node(number: 1 | 2 | 3): ClusterNode {
    return this.cluster.nodes[number - 1]!
  }

  /** Its label app is what is before the hyphen of its name. */
  async pod(name: string, on: 1 | 2 | 3, { containers, ...spec }: Partial<PodSpec> = {}): Promise<void> {
    const metadata = { namespace: 'default', name, labels: { app: appOf(name) } }
    const main = { name: 'main', image: 'switchyard/answers', ports: [{ containerPort: 8080 }], ...containers?.[0] }
    const whole = { nodeName: `node-${on}`, ...spec, containers: [main] }
    await this.client.create<Pod>({ apiVersion: 'v1', kind: 'Pod', metadata, spec: whole })
  }

  async service(name: string, spec: Service['spec'] = {}): Promise<NonNullable<Service['spec']>> {
    const whole = { selector: { app: name }, ports: [{ port: 80, targetPort: 8080, protocol: 'TCP' }], ...spec }
    const metadata = { namespace: 'default', name }
    const { spec: made } = await this.client.create<Service>({
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: whole,
    })
    return made!
  }

  /** Without grace. */
  async end(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.client.delete('Pod', { namespace: 'default', name }, { gracePeriodSeconds: 0 })
  }

  async podIP(name: string): Promise<string | undefined> {
    return (await this.client.get<Pod>('Pod', { namespace: 'default', name }))?.status?.podIP
  }

  async isReady(name: string): Promise<boolean> {
    const pod = await this.client.get<Pod>('Pod', { namespace: 'default', name })
    return pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
  }

  /** `reason message` of each about the pod or node: the kubelet's, and the daemon's. */
  async events(name: string): Promise<readonly string[]> {
    const selection = { namespace: 'default' }
    const ofKubelets = await this.client.list<EventObject>('Event', selection)
    const ofDaemons = await this.client.list<DaemonEvent>('Event.events.k8s.io', selection)
    return [
      ...ofKubelets.map(({ involvedObject, reason, message }) => ({ about: involvedObject.name, reason, message })),
      ...ofDaemons.map(({ regarding, reason, note }) => ({ about: regarding.name, reason, message: note })),
    ].flatMap(({ about, reason, message }) => (about === name ? `${reason} ${message}` : []))
  }

  /** Of the pods that are ready. */
  async endpointsOf(service: string): Promise<readonly (string | undefined)[]> {
    const slices = await this.client.list<EndpointSlice>('EndpointSlice', {
      namespace: 'default',
      labelSelector: `kubernetes.io/service-name=${service}`,
    })
    const endpoints = slices.flatMap(({ endpoints = [] }) => endpoints)
    return endpoints
      .filter(({ conditions }) => conditions?.ready)
      .map(({ targetRef }) => targetRef?.name)
      .sort()
  }

  /** The pods that answer a client beyond the cluster, or what came instead. */
  async answering(address: string, port = 80): Promise<readonly string[]> {
    const outcomes = await this.cluster.outside.connectMany(30, { to: address, port })
    return [...new Set(outcomes.map(nameOrError))].sort()
  }

  async outside(address: string, port: number): Promise<string> {
    return nameOrError(await this.cluster.outside.connect({ to: address, port, timeoutMs: 1000 }))
  }

  /** A line as a person types it: what it prints, or its exit status. */
  async line(text: string): Promise<string> {
    const { code, stdout } = await hostKernel().run(this.cluster.shell.command(text))
    return code === 0 ? stdout.trim() : `exit status ${code}`
  }

  /** In the leases of a node. */
  change(node: ClusterNode, ...statements: readonly string[]): void {
    const database = new DatabaseSync(node.folders.database, { timeout: 5000 })
    try {
      for (const statement of statements) database.exec(statement)
    } finally {
      database.close()
    }
  }

  /** What the runtime has kept of its pods is no longer there. */
  forgetResults(node: ClusterNode, container: string): void {
    rmSync(join(node.folders.cniCache, 'results', `pods-${container}-eth0`))
  }

  async until(look: () => Promise<unknown>, value: unknown): Promise<void> {
    const end = Date.now() + PATIENCE.timeout
    let found = await look()
    while (!isDeepStrictEqual(found, value) && Date.now() < end) {
      await systemClock.sleep(PATIENCE.interval)
      found = await look()
    }
    expect(found).toEqual(value)
  }

  close(): Promise<void> {
    return this.cluster.close()
  }
}

function appOf(name: string): string {
  return name.replace(/-.*/, '')
}

function nameOrError(outcome: ConnectOutcome): string {
  return outcome.ok ? outcome.answer.name : outcome.error
}
