import type { Deployment, Pod, ReplicaSet } from '#lab/client/objects.ts'
import { deploymentDecision } from '#lab/controllers/deployments/deployments.ts'
import { isActive, isReady } from '#lab/controllers/facts/pod-facts.ts'
import { replicaSetDecision } from '#lab/controllers/replica-sets/replica-sets.ts'
import { PaperCluster } from '../paper-cluster.ts'

// A Deployment on paper with everything that works on it, one small step at a time and in random order.

export function deploymentOf(replicas: number, more: Partial<Deployment['spec']> = {}): Deployment {
  const labels = { app: 'web' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'v1' }] } }
  const spec = { replicas, selector: { matchLabels: labels }, template, ...more }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace: 'default', name: 'web' }, spec }
}

export interface SettleOptions {
  /** Called after each step. */
  readonly watch?: () => void
  /** After so many steps it is enough, whether it has come to rest or not. */
  readonly steps?: number
}

export class Rollout {
  readonly cluster = new PaperCluster()
  /** Images whose pods never become ready. */
  readonly broken = new Set<string>()
  #seed: number

  constructor(deployment: Deployment, seed = 1) {
    this.#seed = seed
    this.cluster.put(deployment)
  }

  get deployment(): Deployment {
    return this.cluster.one<Deployment>('Deployment', 'default/web')!
  }

  get sets(): readonly ReplicaSet[] {
    return this.cluster.list<ReplicaSet>('ReplicaSet')
  }

  /** What a user changes of its spec. */
  change(spec: Partial<Deployment['spec']>): void {
    this.cluster.now += 1_000
    this.cluster.put<Deployment>({ ...this.deployment, spec: { ...this.deployment.spec!, ...spec } })
  }

  use(image: string): void {
    const { template } = this.deployment.spec!
    this.change({ template: { ...template, spec: { containers: [{ name: 'main', image }] } } })
  }

  images(of: 'active' | 'ready' | 'all' = 'active'): readonly string[] {
    const pods = this.cluster.list<Pod>('Pod').filter(pod => of === 'all' || isActive(pod))
    return pods.filter(pod => of !== 'ready' || isReady(pod)).map(imageOf)
  }

  replicas(): Readonly<Record<string, number | undefined>> {
    return Object.fromEntries(this.sets.map(set => [imageOf(set.spec!.template as Pod), set.spec?.replicas]))
  }

  revisions(): Readonly<Record<string, string | undefined>> {
    const revision = 'deployment.kubernetes.io/revision'
    return Object.fromEntries(
      this.sets.map(set => [imageOf(set.spec!.template as Pod), set.metadata.annotations?.[revision]]),
    )
  }

  /** Throws where it does not come to rest. */
  settle({ watch = () => {}, steps = 10_000 }: SettleOptions = {}): void {
    for (let step = 0; step < 10_000; step++) {
      if (step >= steps) return
      const moves = this.#moves()
      const start = Math.floor(this.#random() * moves.length)
      const order = [...moves.slice(start), ...moves.slice(0, start)]
      if (!order.some(move => move())) return
      watch()
    }
    throw new Error('it does not come to rest')
  }

  chance(probability: number): boolean {
    return this.#random() < probability
  }

  /** Each says whether it changed anything. */
  #moves(): readonly (() => boolean)[] {
    const { cluster } = this
    const facts = () => ({
      sets: cluster.all<ReplicaSet>('ReplicaSet'),
      pods: cluster.all<Pod>('Pod'),
      now: cluster.now,
    })
    return [
      () => cluster.apply(deploymentDecision(this.deployment, facts())),
      ...this.sets.map(set => () => cluster.apply(replicaSetDecision(set, cluster.all<Pod>('Pod'), cluster.now))),
      ...cluster.list<Pod>('Pod').map(pod => () => this.#kubelet(pod)),
    ]
  }

  #kubelet(pod: Pod): boolean {
    if (pod.metadata.deletionTimestamp !== undefined) {
      this.cluster.remove(pod)
      return true
    }
    if (isReady(pod) || this.broken.has(imageOf(pod))) return false
    this.cluster.now += 1_000
    const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime: this.cluster.time() }]
    this.cluster.put<Pod>({
      ...pod,
      spec: { ...pod.spec!, nodeName: 'node-1' },
      status: { phase: 'Running', conditions },
    })
    return true
  }

  /** Park and Miller's: the same seed gives the same walk. */
  #random(): number {
    this.#seed = (this.#seed * 48_271) % 2_147_483_647
    return this.#seed / 2_147_483_647
  }
}

function imageOf({ spec }: Pick<Pod, 'spec'>): string {
  return spec?.containers[0]?.image ?? ''
}
