import type { Deployment, EndpointSlice, Pod, Service } from '#lab/client/objects.ts'
import type { Cluster } from '#lab/cluster/cluster.ts'
import { tally } from '#lab/network/host.ts'

// One Deployment and its Service in a cluster of the lab: how it is changed, and how far the change has come.

const KEY = { namespace: 'default', name: 'web' }
const LABELS = { app: 'web' }
const OF_SERVICE = { namespace: KEY.namespace, labelSelector: `kubernetes.io/service-name=${KEY.name}` }
const PORT = 80

export class Workload {
  readonly #cluster: Cluster
  #address = ''

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async create(): Promise<void> {
    const { client } = this.#cluster.workloads
    const ports = [{ port: PORT, targetPort: 8080, protocol: 'TCP' }]
    const service: Service = { apiVersion: 'v1', kind: 'Service', metadata: KEY, spec: { selector: LABELS, ports } }
    this.#address = (await client.create(service)).spec!.clusterIP!
    const containers = [{ name: 'main', image: 'switchyard/answers', ports: [{ containerPort: 8080 }] }]
    const template = { metadata: { labels: { ...LABELS, revision: 'a' } }, spec: { containers } }
    const spec = { replicas: 1, selector: { matchLabels: LABELS }, template }
    await client.create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: KEY, spec } as Deployment)
  }

  async scale(replicas: number): Promise<void> {
    await this.#cluster.workloads.client.patch('Deployment', KEY, { spec: { replicas } })
  }

  /** Pods of it replace those that are there. */
  async revise(revision: string): Promise<void> {
    const template = { metadata: { labels: { revision } } }
    await this.#cluster.workloads.client.patch('Deployment', KEY, { spec: { template } })
  }

  async isAvailable(replicas: number): Promise<boolean> {
    const { status, metadata } = (await this.#cluster.workloads.client.get<Deployment>('Deployment', KEY))!
    const counts = [status?.replicas, status?.updatedReplicas, status?.availableReplicas]
    return status?.observedGeneration === metadata.generation && counts.every(count => count === replicas)
  }

  /** Pods that are there in any state. */
  async pods(labelSelector = 'app=web'): Promise<readonly Pod[]> {
    return this.#cluster.workloads.client.list<Pod>('Pod', { namespace: KEY.namespace, labelSelector })
  }

  /** Of each endpoint that is ready, its node. */
  async readyOn(): Promise<readonly (string | undefined)[]> {
    const slices = await this.#cluster.workloads.client.list<EndpointSlice>('EndpointSlice', OF_SERVICE)
    const endpoints = slices.flatMap(({ endpoints = [] }) => endpoints)
    return endpoints.filter(({ conditions }) => conditions?.ready).map(({ nodeName }) => nodeName)
  }

  /** From beyond the cluster: how often each pod, and each failure, was what came. */
  async ask(times: number): Promise<Readonly<Record<string, number>>> {
    return tally(await this.#cluster.outside.connectMany(times, { to: this.#address, port: PORT }))
  }
}
