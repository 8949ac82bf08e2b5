import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import type { ClusterClient } from '#lab/client/cluster-client.ts'
import { openClient } from '#lab/client/http-client.ts'
import type { Deployment, Node, Pod } from '#lab/client/objects.ts'
import { isAbsent, isConflict } from '#lab/client/refused.ts'
import { type Controllers, startControllers } from '#lab/controllers/controllers.ts'
import type { ControllerSettings } from '#lab/controllers/settings.ts'
import { systemClock } from '#system/clock.ts'
import { PaperFiles, PaperPlugin } from '../../kubernetes/desk.ts'

// The lab's API server, its controllers, and kubelets without machines: their pods are ready at once, and end soon.

export interface SmallCluster {
  readonly server: ApiServer
  readonly client: ClusterClient
  /** Nodes that are alive: their Leases are renewed, their pods start and end. */
  readonly alive: Set<string>
  /** Lines of the controllers about what went wrong. */
  readonly trouble: string[]
  close(): Promise<void>
}

export async function smallCluster(settings: Partial<ControllerSettings> = {}): Promise<SmallCluster> {
  const server = await startApiServer({ controllers: 'running', tolerationSeconds: 0 })
  const kernel = new PaperPlugin(async () => ({ code: 1, stdout: '', stderr: '' }))
  const access = { master: server.url, env: {}, files: new PaperFiles(), kernel, clock: systemClock }
  const open = () => openClient(access, { limits: { backoffMs: 5, backoffMaxMs: 50 } })
  const [client, controlling] = [await open(), await open()]
  const alive = new Set(['node-1', 'node-2', 'node-3'])
  const trouble: string[] = []
  for (const name of alive) await client.create(nodeOf(name))
  const kubelets = new Kubelets(client, alive)
  const controllers: Controllers = startControllers({
    ...{ client: controlling, clock: systemClock, settings },
    log: line => trouble.push(line),
  })
  return {
    ...{ server, client, alive, trouble },
    close: async () => {
      await controllers.close()
      await kubelets.close()
      await controlling.close()
      await client.close()
      await server.close()
    },
  }
}

class Kubelets {
  readonly #client: ClusterClient
  readonly #alive: ReadonlySet<string>
  readonly #stop = new AbortController()
  readonly #working = new Set<Promise<unknown>>()
  #addresses = 0

  constructor(client: ClusterClient, alive: ReadonlySet<string>) {
    this.#client = client
    this.#alive = alive
    client.follow<Pod>('Pod', {}, { changed: pod => this.#do(() => this.#attend(pod)) })
    client.follow<Node>('Node', {}, { changed: node => this.#do(() => this.#post(node)) })
    this.#do(() => this.#renew())
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#working)
  }

  #do(work: () => Promise<unknown>): void {
    const working: Promise<unknown> = this.#untilDone(work).finally(() => this.#working.delete(working))
    this.#working.add(working)
  }

  /** A pod that is gone needs no more; an API server that fails is asked again. */
  async #untilDone(work: () => Promise<unknown>): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await work()
        return
      } catch (error) {
        if (isAbsent(error) || isConflict(error)) return
        await systemClock.sleep(20, this.#stop.signal)
      }
    }
  }

  async #attend({ metadata, spec, status }: Pod): Promise<void> {
    const { namespace = '', name = '' } = metadata
    if (!this.#alive.has(spec?.nodeName ?? '')) return
    if (metadata.deletionTimestamp !== undefined) {
      await systemClock.sleep(20, this.#stop.signal)
      return this.#client.delete('Pod', { namespace, name }, { gracePeriodSeconds: 0 })
    }
    if (status?.podIP !== undefined) return
    const ip = `10.244.0.${++this.#addresses}`
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: new Date().toISOString() }]
    const running = { phase: 'Running', podIP: ip, podIPs: [{ ip }], conditions }
    await this.#client.patch('Pod', { namespace, name }, { status: running }, 'status')
  }

  /** One that was taken for dead says that it is not. */
  async #post({ metadata: { name = '' }, status }: Node): Promise<void> {
    if (status?.conditions?.[0]?.status !== 'Unknown') return
    while (!this.#alive.has(name)) {
      if (this.#stop.signal.aborted) return
      await systemClock.sleep(20, this.#stop.signal)
    }
    await this.#client.patch('Node', { name }, { status: nodeOf(name).status! }, 'status')
  }

  async #renew(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      for (const name of this.#alive) await this.#renewOne(name).catch(() => {})
      await systemClock.sleep(50, this.#stop.signal)
    }
  }

  async #renewOne(name: string): Promise<void> {
    const metadata = { namespace: 'kube-node-lease', name }
    const spec = { holderIdentity: name, renewTime: new Date().toISOString().replace('Z', '000Z') }
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec }
    await this.#client.patch('Lease', metadata, { spec }).catch(() => this.#client.create(lease))
  }
}

export function nodeOf(name: string): Node {
  const conditions = [{ type: 'Ready', status: 'True', reason: 'KubeletReady' }]
  return { apiVersion: 'v1', kind: 'Node', metadata: { name }, status: { conditions } }
}

export function webOf(replicas: number, image = 'v1', namespace = 'default'): Deployment {
  const labels = { app: 'web' }
  const containers = [{ name: 'main', image, ports: [{ containerPort: 8080 }] }]
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace, name: 'web' },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers } } },
  }
}
