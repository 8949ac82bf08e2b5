import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { Refused } from '../requests/answers.ts'
import { internalError, notFound } from '../requests/refusals.ts'
import { PODS, type Target } from '../requests/resources.ts'
import type { PodContainer, PodStreams, PodStreamsOf } from './pod-streams.ts'

// A request for the logs of a pod or for a command in it → the container it means, and the kubelet that has it.

interface Pod extends ApiObject {
  readonly spec?: {
    readonly nodeName?: string
    readonly containers?: readonly Named[]
    readonly initContainers?: readonly Named[]
  }
}

interface Named {
  readonly name: string
}

export interface Reached {
  readonly container: PodContainer
  /** Undefined where the pod has not come to a node yet. */
  readonly streams: PodStreams | undefined
}

export interface ContainerParts {
  readonly store: ApiStore
  readonly pods?: PodStreamsOf | undefined
}

export function containerOf({ store, pods }: ContainerParts, target: Target, asked: string | null): Reached {
  const { namespace = '', name = '' } = target
  const pod = store.get(PODS, namespace, name) as Pod | undefined
  if (pod === undefined) throw notFound(PODS, name)
  const { nodeName, containers = [], initContainers = [] } = pod.spec ?? {}
  const container = asked || onlyOne(name, containers)
  if (![...containers, ...initContainers].some(it => it.name === container)) {
    throw new Refused(400, `container ${container} is not valid for pod ${name}`)
  }
  const streams = nodeName ? pods?.(nodeName) : undefined
  if (nodeName && streams === undefined) throw internalError(`no kubelet answers on node ${JSON.stringify(nodeName)}`)
  return { container: { namespace, name, container }, streams }
}

function onlyOne(pod: string, containers: readonly Named[]): string {
  const [first, second] = containers
  if (first !== undefined && second === undefined) return first.name
  const names = containers.map(({ name }) => name).join(' ')
  throw new Refused(400, `a container name must be specified for pod ${pod}, choose one of: [${names}]`)
}
