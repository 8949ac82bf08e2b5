import type { Node } from '#lab/client/objects.ts'
import { timeText } from '../pod/time-text.ts'

// What a kubelet knows of its node → the status of the Node, as `kubectl get nodes -o wide` and `kubectl describe node` show it.

type NodeStatus = NonNullable<Node['status']>
type NodeInfo = NonNullable<NodeStatus['nodeInfo']>

export interface NodeFacts {
  readonly name: string
  readonly addresses: readonly string[]
  readonly processors: number
  readonly memoryBytes: number
  readonly info: NodeInfo
  /** Why no pod can be started on it. */
  readonly problem: string | undefined
  readonly now: number
}

/** As a kubelet without a flag for it. */
const MOST_PODS = '110'

export function nodeLabels({ name, info }: Pick<NodeFacts, 'name' | 'info'>): Readonly<Record<string, string>> {
  const { architecture, operatingSystem } = info
  return {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': operatingSystem,
    'kubernetes.io/arch': architecture,
  }
}

export function nodeStatus(facts: NodeFacts, before: NodeStatus | undefined): NodeStatus {
  const capacity = {
    cpu: String(facts.processors),
    memory: `${Math.floor(facts.memoryBytes / 1024)}Ki`,
    pods: MOST_PODS,
  }
  return {
    addresses: [
      ...facts.addresses.map(address => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: facts.name },
    ],
    capacity,
    allocatable: capacity,
    conditions: conditions(facts, before),
    nodeInfo: facts.info,
    daemonEndpoints: { kubeletEndpoint: { Port: 10250 } },
  }
}

type NodeCondition = NonNullable<NodeStatus['conditions']>[number]

function conditions({ problem, now }: NodeFacts, before: NodeStatus | undefined): readonly NodeCondition[] {
  const ready =
    problem === undefined
      ? { status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
      : { status: 'False', reason: 'KubeletNotReady', message: `container runtime network not ready: ${problem}` }
  const wanted = [
    ...PRESSURES.map(([type, reason, message]) => ({ type, status: 'False', reason, message })),
    { type: 'Ready', ...ready },
  ]
  const known = before?.conditions ?? []
  const own = wanted.map(condition => {
    const same = known.find(({ type, status }) => type === condition.type && status === condition.status)
    const lastTransitionTime = same?.lastTransitionTime ?? timeText(now)
    return { ...condition, lastHeartbeatTime: timeText(now), lastTransitionTime }
  })
  return [...own, ...known.filter(({ type }) => !own.some(condition => condition.type === type))]
}

const PRESSURES = [
  ['MemoryPressure', 'KubeletHasSufficientMemory', 'kubelet has sufficient memory available'],
  ['DiskPressure', 'KubeletHasNoDiskPressure', 'kubelet has no disk pressure'],
  ['PIDPressure', 'KubeletHasSufficientPID', 'kubelet has sufficient PID available'],
] as const
