import { keyOf } from '#lab/client/cluster-client.ts'
import type { ApiObject, EndpointSlice, Node, Pod, Service } from '#lab/client/objects.ts'
import { hasAll } from '../facts/labels.ts'
import { type Controller, type Decision, type Look, NOTHING } from '../loop/controller.ts'
import { endpointGroups, familiesOf, ZONE } from './endpoints.ts'
import { MANAGED_BY, MANAGER, SERVICE_NAME, sliceWrites } from './slices.ts'

// Services with a selector, and the pods it takes → EndpointSlices.

export function endpointSlices(): Controller {
  return {
    name: 'endpoint-slice-controller',
    follows: [
      { kind: 'Service', keys: service => [keyOf(service)] },
      { kind: 'Pod', keys: (pod, look, before) => new Set([...servicesOf(pod, look), ...servicesOf(before, look)]) },
      { kind: 'EndpointSlice', keys: slice => serviceOf(slice) },
      { kind: 'Node', keys: (node, look, before) => (zoneOf(node) === zoneOf(before) ? [] : servicesOn(node, look)) },
    ],
    decide: (key, look) => {
      const service = look.one<Service>('Service', key)
      const own = [...look.all<EndpointSlice>('EndpointSlice')].filter(slice => serviceOf(slice).includes(key))
      return sliceDecision(service, own, look)
    },
  }
}

/** Slices of a Service that is no more go with their owner; those of one without a selector are another's. */
export function sliceDecision(
  service: Service | undefined,
  slices: readonly EndpointSlice[],
  look: Pick<Look, 'all' | 'one' | 'now'>,
): Decision {
  if (service === undefined || service.metadata.deletionTimestamp !== undefined) return NOTHING
  if (!hasEndpoints(service)) return NOTHING
  const pods = [...look.all<Pod>('Pod')].filter(pod => isOf(service, pod))
  const groups = endpointGroups(service, pods, name => look.one<Node>('Node', name))
  return { writes: sliceWrites({ service, groups, families: familiesOf(service), now: look.now }, slices) }
}

/** The key of the Service it is of, where it is one of ours. */
function serviceOf({ metadata }: ApiObject): readonly string[] {
  const { labels = {}, namespace } = metadata
  const name = labels[SERVICE_NAME]
  return name !== undefined && labels[MANAGED_BY] === MANAGER ? [`${namespace}/${name}`] : []
}

/** What has no selector is looked after by other programs. */
export function hasEndpoints({ spec }: Service): boolean {
  return spec?.type !== 'ExternalName' && Object.keys(spec?.selector ?? {}).length > 0
}

/** Whether the selector of the Service takes the pod. */
export function isOf({ metadata, spec }: Service, pod: ApiObject): boolean {
  const { selector = {} } = spec ?? {}
  if (metadata.namespace !== pod.metadata.namespace || Object.keys(selector).length === 0) return false
  return hasAll(selector, pod.metadata.labels)
}

export function* servicesOf(pod: ApiObject | undefined, look: Look): Iterable<string> {
  if (pod === undefined) return
  for (const service of look.all<Service>('Service')) if (isOf(service, pod)) yield keyOf(service)
}

function zoneOf(node: ApiObject | undefined): string | undefined {
  return node?.metadata.labels?.[ZONE]
}

function* servicesOn({ metadata }: ApiObject, look: Look): Iterable<string> {
  for (const pod of look.all<Pod>('Pod')) if (pod.spec?.nodeName === metadata.name) yield* servicesOf(pod, look)
}
