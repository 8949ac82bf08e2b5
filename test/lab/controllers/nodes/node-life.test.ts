import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '#lab/client/objects.ts'
import { nodeDecision, nodeLife } from '#lab/controllers/nodes/node-life.ts'
import { CONTROLLER_SETTINGS } from '#lab/controllers/settings.ts'
import { PaperCluster, podOf, runningOn } from '../paper-cluster.ts'

const settings = { ...CONTROLLER_SETTINGS, nodeGraceMs: 40_000, evictAfterMs: 10_000 }
const UNREACHABLE = 'node.kubernetes.io/unreachable'

function nodeOf(ready: 'True' | 'False' | 'Unknown', spec: Node['spec'] = {}): Node {
  const conditions = ['MemoryPressure', 'Ready'].map(type => ({ type, status: type === 'Ready' ? ready : 'False' }))
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, spec, status: { conditions } }
}

class NodeOnPaper {
  readonly cluster = new PaperCluster()
  heardAt = this.cluster.now

  constructor(node: Node, ...pods: readonly Pod[]) {
    for (const object of [node, ...pods]) this.cluster.put(object)
  }

  get node(): Node {
    return this.cluster.one<Node>('Node', 'node-1')!
  }

  /** Decides until nothing changes; returns when it wants to look again. */
  settle(): number | undefined {
    for (let round = 0; round < 10; round++) {
      const pods = this.cluster.list<Pod>('Pod')
      const decision = nodeDecision(this.node, { pods, heardAt: this.heardAt, now: this.cluster.now, settings })
      if (!this.cluster.apply(decision)) return decision.againMs
    }
    throw new Error('it does not come to rest')
  }

  taints(): readonly string[] {
    return (this.node.spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`)
  }

  statuses(): Readonly<Record<string, string>> {
    return Object.fromEntries((this.node.status?.conditions ?? []).map(({ type, status }) => [type, status]))
  }
}

describe('a node', () => {
  test('of which something was heard is left alone until its grace is over', () => {
    const paper = new NodeOnPaper(nodeOf('True'))
    expect(paper.settle()).toBe(40_000)
    paper.cluster.now += 15_000
    expect(paper.settle()).toBe(25_000)
    expect(paper.taints()).toEqual([])
  })

  test('that is silent for longer is unknown and unreachable, and none of its pods is ready', () => {
    const paper = new NodeOnPaper(nodeOf('True'), podOf('web-1', runningOn('node-1', '10.244.0.1')))
    paper.cluster.now += 40_000
    paper.settle()
    expect(paper.statuses()).toEqual({ MemoryPressure: 'Unknown', Ready: 'Unknown' })
    expect(paper.taints()).toEqual([`${UNREACHABLE}:NoSchedule`, `${UNREACHABLE}:NoExecute`])
    expect(paper.cluster.one<Pod>('Pod', 'default/web-1')?.status?.conditions).toMatchObject([
      { type: 'Ready', status: 'False', reason: 'NodeNotReady' },
    ])
    expect(paper.cluster.notes).toEqual(
      expect.arrayContaining([
        'NodeNotReady: Node node-1 status is now: NodeNotReady',
        'NodeNotReady: Node is not ready',
      ]),
    )
  })

  test('that comes back has no taints of ours any more, and keeps those of others', () => {
    const mine = { key: 'team', value: 'shop', effect: 'NoSchedule' }
    const away = [mine, { key: UNREACHABLE, effect: 'NoSchedule' }, { key: UNREACHABLE, effect: 'NoExecute' }]
    const paper = new NodeOnPaper(nodeOf('True', { taints: away }))
    paper.settle()
    expect(paper.taints()).toEqual(['team:NoSchedule'])
  })

  test('that says itself that it is not ready is tainted as such', () => {
    const paper = new NodeOnPaper(nodeOf('False'))
    paper.settle()
    expect(paper.taints()).toEqual([
      'node.kubernetes.io/not-ready:NoSchedule',
      'node.kubernetes.io/not-ready:NoExecute',
    ])
    expect(paper.statuses().Ready).toBe('False')
  })

  test('that is cordoned is tainted so that each scheduler sees it', () => {
    const paper = new NodeOnPaper(nodeOf('True', { unschedulable: true }))
    paper.settle()
    expect(paper.taints()).toEqual(['node.kubernetes.io/unschedulable:NoSchedule'])
  })
})

describe('a pod on a node that cannot be reached', () => {
  const away = [{ key: UNREACHABLE, effect: 'NoExecute', timeAdded: '2026-03-01T12:00:00Z' }]
  const taints = [{ key: UNREACHABLE, effect: 'NoSchedule' }, ...away]
  const tolerating = (tolerations: readonly object[]): Pod => {
    const { spec, status } = runningOn('node-1', '10.244.0.1', 'False')
    return podOf('web-1', { spec: { ...spec!, tolerations: tolerations as never }, status: status! })
  }
  const silent = (pod: Pod) => {
    const paper = new NodeOnPaper(nodeOf('Unknown', { taints }), pod)
    paper.heardAt -= 40_000
    return paper
  }
  const isEnding = (paper: NodeOnPaper) =>
    paper.cluster.one<Pod>('Pod', 'default/web-1')?.metadata.deletionTimestamp !== undefined

  test('is evicted when it was tolerated for long enough', () => {
    const paper = silent(tolerating([]))
    paper.cluster.now += 4_000
    expect([paper.settle(), isEnding(paper)]).toEqual([6_000, false])
    paper.cluster.now += 6_000
    paper.settle()
    expect(isEnding(paper)).toBe(true)
    expect(paper.cluster.notes).toEqual(['TaintManagerEviction: Marking for deletion Pod default/web-1'])
  })

  test('stays for as long as it says itself', () => {
    const paper = silent(
      tolerating([{ key: UNREACHABLE, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 60 }]),
    )
    paper.cluster.now += 59_000
    expect([paper.settle(), isEnding(paper)]).toEqual([1_000, false])
    paper.cluster.now += 1_000
    paper.settle()
    expect(isEnding(paper)).toBe(true)
  })

  test('stays for ever where it tolerates everything', () => {
    const paper = silent(tolerating([{ operator: 'Exists' }]))
    paper.cluster.now += 1_000_000
    expect([paper.settle(), isEnding(paper)]).toEqual([undefined, false])
  })

  test('goes at once from a node that a user empties with a taint', () => {
    const taint = { key: 'repair', effect: 'NoExecute', timeAdded: '2026-03-01T12:00:00Z' }
    const paper = new NodeOnPaper(nodeOf('True', { taints: [taint] }), tolerating([]))
    paper.settle()
    expect(isEnding(paper)).toBe(true)
  })
})

test('a Lease that is renewed is a sign of life, whatever the clock of the node says', () => {
  const cluster = new PaperCluster()
  const { decide } = nodeLife(settings)
  cluster.put(nodeOf('True'))
  const renew = (renewTime: string) => {
    const metadata = { namespace: 'kube-node-lease', name: 'node-1' }
    cluster.put({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: { renewTime } } as never)
  }
  const again = () => (decide('node-1', cluster) as { readonly againMs?: number }).againMs
  renew('1999-01-01T00:00:00.000000Z')
  expect(again()).toBe(40_000)
  cluster.now += 30_000
  expect(again()).toBe(10_000)
  renew('1999-01-01T00:00:10.000000Z')
  expect(again()).toBe(40_000)
})

test('a status that is posted is a sign of life, but not that it was marked as unknown here', () => {
  const cluster = new PaperCluster()
  const { decide } = nodeLife(settings)
  const again = () => (decide('node-1', cluster) as { readonly againMs?: number }).againMs
  cluster.put(nodeOf('True'))
  expect(again()).toBe(40_000)
  cluster.now += 40_000
  cluster.apply(decide('node-1', cluster) as never)
  cluster.apply(decide('node-1', cluster) as never)
  expect(again()).toBeUndefined()
  cluster.now += 5_000
  cluster.put({ ...cluster.one<Node>('Node', 'node-1')!, status: nodeOf('True').status! })
  expect(again()).toBe(40_000)
})
