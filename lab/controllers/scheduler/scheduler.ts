import { keyOf } from '#lab/client/cluster-client.ts'
import type { Node, Pod } from '#lab/client/objects.ts'
import { timeText, withCondition } from '../facts/conditions.ts'
import { conditionOf, hasEnded } from '../facts/pod-facts.ts'
import { type Controller, type Decision, type Look, NOTHING, type Write } from '../loop/controller.ts'
import { unfit } from './fits.ts'

// Pods without a node → the node each is to run on: of those that fit, one after the other.

const NAME = 'default-scheduler'

export function scheduler(): Controller {
  let last = ''
  return {
    name: NAME,
    // One pod after the other, so that they are spread.
    workers: 4,
    follows: [
      { kind: 'Pod', keys: pod => (isWaiting(pod as Pod) ? [keyOf(pod)] : []) },
      // A node that came or changed may take what no other could.
      {
        kind: 'Node',
        keys: (node, look, before) => (isWorthTrying(node as Node, before as Node) ? waiting(look) : []),
      },
    ],
    decide: (key, look) => {
      const pod = look.one<Pod>('Pod', key)
      if (pod === undefined || !isWaiting(pod)) return NOTHING
      const placed = placement(pod, look.all<Node>('Node'), last)
      last = placed.node ?? last
      return placed.node === undefined
        ? unschedulable(pod, placed.why, look.now)
        : { writes: [binding(pod, placed.node)] }
    },
  }
}

export type Placement = { readonly node: string } | { readonly node?: undefined; readonly why: string }

/** The node that follows `last` in the order of names. */
export function placement(pod: Pod, nodes: Iterable<Node>, last: string): Placement {
  const all = [...nodes].filter(({ metadata }) => metadata.deletionTimestamp === undefined)
  const reasons = new Map<string, number>()
  const fitting: string[] = []
  for (const node of all) {
    const reason = unfit(pod, node)
    if (reason === undefined) fitting.push(node.metadata.name ?? '')
    else reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  fitting.sort()
  const node = fitting.find(name => name > last) ?? fitting[0]
  if (node !== undefined) return { node }
  if (all.length === 0) return { why: 'no nodes available to schedule pods' }
  const counted = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort()
  return { why: `0/${all.length} nodes are available: ${counted.join(', ')}.` }
}

function isWaiting({ metadata, spec, status }: Pod): boolean {
  const { nodeName, schedulerName = NAME, schedulingGates = [] } = spec ?? {}
  const isEnding = metadata.deletionTimestamp !== undefined || hasEnded(status?.phase)
  return !nodeName && !isEnding && schedulerName === NAME && schedulingGates.length === 0
}

function* waiting(look: Look): Iterable<string> {
  for (const pod of look.all<Pod>('Pod')) if (isWaiting(pod)) yield keyOf(pod)
}

/** A heartbeat changes nothing for a pod. */
function isWorthTrying(node: Node, before: Node | undefined): boolean {
  return before === undefined || facts(node) !== facts(before)
}

function facts(node: Node): string {
  return JSON.stringify([node.metadata.labels, node.spec, conditionOf(node, 'Ready')?.status])
}

function binding(pod: Pod, node: string): Write {
  const message = `Successfully assigned ${keyOf(pod)} to ${node}`
  return { do: 'bind', pod, node, note: { about: pod, type: 'Normal', reason: 'Scheduled', message } }
}

/** Said once: the pod is looked at again when a node changes. */
function unschedulable(pod: Pod, message: string, now: number): Decision {
  const before = conditionOf(pod, 'PodScheduled')
  if (before?.status === 'False' && before.message === message) return NOTHING
  const set = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, now: timeText(now) }
  const conditions = withCondition(pod.status?.conditions ?? [], set)
  const { namespace, name = '', uid } = pod.metadata
  const key = { name, ...(namespace !== undefined && { namespace }) }
  const note = { about: pod, type: 'Warning', reason: 'FailedScheduling', message } as const
  const patch = { metadata: { uid }, status: { phase: 'Pending', conditions } }
  return { writes: [{ do: 'patch', kind: 'Pod', key, patch, subresource: 'status', note }] }
}
