import type { ObjectKey } from '#lab/client/cluster-client.ts'
import type { ApiObject, Lease, Node, Pod } from '#lab/client/objects.ts'
import { timeText, withCondition } from '../facts/conditions.ts'
import { conditionOf, hasEnded } from '../facts/pod-facts.ts'
import { type Controller, type Decision, NOTHING, type Write } from '../loop/controller.ts'
import type { ControllerSettings } from '../settings.ts'
import { HeartBeats } from './heart-beats.ts'
import { mayStayMs, type Taint, taintsOf } from './taints.ts'

// Nodes, and what was heard of them → a node that is silent is marked so, and its pods come elsewhere.

export function nodeLife(settings: ControllerSettings): Controller {
  const beats = new HeartBeats()
  return {
    name: 'node-controller',
    follows: [
      { kind: 'Node', keys: node => [node.metadata.name ?? ''] },
      {
        kind: 'Lease',
        selection: { namespace: 'kube-node-lease' },
        keys: ({ metadata: { name = '' } }, look) => (isSilent(look.one<Node>('Node', name)) ? [name] : []),
      },
      { kind: 'Pod', keys: (pod, look) => onTainted(pod as Pod, name => look.one<Node>('Node', name)) },
    ],
    decide: (name, look) => {
      const node = look.one<Node>('Node', name)
      if (node === undefined) {
        beats.forget(name)
        return NOTHING
      }
      const heardAt = beats.heard(node, look.one<Lease>('Lease', `kube-node-lease/${name}`), look.now)
      const pods = [...look.all<Pod>('Pod')].filter(({ spec }) => spec?.nodeName === name)
      return nodeDecision(node, { pods, heardAt, now: look.now, settings })
    },
  }
}

export interface NodeFactsKnown {
  readonly pods: readonly Pod[]
  /** When a sign of life was last seen. */
  readonly heardAt: number
  readonly now: number
  readonly settings: ControllerSettings
}

export function nodeDecision(node: Node, facts: NodeFactsKnown): Decision {
  const { heardAt, now, settings } = facts
  const silentInMs = heardAt + settings.nodeGraceMs - now
  if (silentInMs <= 0) {
    const writes = [...(isSilent(node) ? [] : [silenced(node, now)]), ...unready(facts)]
    if (writes.length > 0) return { writes }
  }
  const watch = silentInMs > 0 ? { againMs: silentInMs } : {}
  const taints = taintsOf(node, timeText(now))
  if (taints !== undefined) return { writes: [tainted(node, taints)], ...watch }
  const { writes, againMs = Number.POSITIVE_INFINITY } = evictions(node, facts)
  const soonest = Math.min(againMs, watch.againMs ?? Number.POSITIVE_INFINITY)
  return { writes, ...(soonest < Number.POSITIVE_INFINITY && { againMs: soonest }) }
}

/** What a kubelet last posted of its node is no longer known to be true. */
function silenced(node: Node, now: number): Write {
  const time = timeText(now)
  const before = node.status?.conditions ?? []
  const known = before.some(({ type }) => type === 'Ready') ? before.map(({ type }) => type) : ['Ready']
  const unknown = {
    status: 'Unknown',
    reason: before.length > 0 ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
    message: before.length > 0 ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
    now: time,
  }
  const conditions = known.reduce<typeof before>((all, type) => withCondition(all, { ...unknown, type }), before)
  const message = `Node ${node.metadata.name} status is now: NodeNotReady`
  const note = { about: node, type: 'Normal', reason: 'NodeNotReady', message } as const
  const { uid, resourceVersion } = node.metadata
  const patch = { metadata: { uid, resourceVersion }, status: { conditions } }
  return { do: 'patch', kind: 'Node', key: keyTo(node), patch, subresource: 'status', note }
}

function tainted(node: Node, taints: readonly Taint[]): Write {
  const { uid, resourceVersion } = node.metadata
  const patch = { metadata: { uid, resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } }
  return { do: 'patch', kind: 'Node', key: keyTo(node), patch }
}

/** No Service leads to its pods any more. */
function unready({ pods, now }: NodeFactsKnown): readonly Write[] {
  return pods
    .filter(pod => conditionOf(pod, 'Ready')?.status === 'True')
    .map(pod => {
      const set = { type: 'Ready', status: 'False', reason: 'NodeNotReady', message: '', now: timeText(now) }
      const conditions = withCondition(pod.status?.conditions ?? [], set)
      const note = { about: pod, type: 'Warning', reason: 'NodeNotReady', message: 'Node is not ready' } as const
      const patch = { metadata: { uid: pod.metadata.uid }, status: { conditions } }
      return { do: 'patch', kind: 'Pod', key: keyTo(pod), patch, subresource: 'status', note }
    })
}

function evictions(node: Node, { pods, now, settings }: NodeFactsKnown): Decision {
  const taints = node.spec?.taints ?? []
  const writes: Write[] = []
  let againMs = Number.POSITIVE_INFINITY
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined || hasEnded(pod.status?.phase)) continue
    const leftMs = mayStayMs(pod, taints, { now, toleranceMs: settings.evictAfterMs })
    if (leftMs > 0) {
      againMs = Math.min(againMs, leftMs)
      continue
    }
    const message = `Marking for deletion Pod ${pod.metadata.namespace}/${pod.metadata.name}`
    writes.push({
      do: 'delete',
      object: pod,
      note: { about: pod, type: 'Normal', reason: 'TaintManagerEviction', message },
    })
  }
  return { writes, ...(againMs < Number.POSITIVE_INFINITY && { againMs }) }
}

function isSilent(node: Node | undefined): boolean {
  return node !== undefined && conditionOf(node, 'Ready')?.status === 'Unknown'
}

function onTainted({ spec }: Pod, nodeNamed: (name: string) => Node | undefined): readonly string[] {
  const name = spec?.nodeName ?? ''
  const taints = nodeNamed(name)?.spec?.taints ?? []
  return taints.some(({ effect }) => effect === 'NoExecute') ? [name] : []
}

function keyTo({ metadata: { namespace, name = '' } }: ApiObject): ObjectKey {
  return { name, ...(namespace !== undefined && { namespace }) }
}
