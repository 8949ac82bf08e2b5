import { isDeepStrictEqual } from 'node:util'
import { keyOf } from '#lab/client/cluster-client.ts'
import type { Endpoints, Pod, Service } from '#lab/client/objects.ts'
import { timeText } from '../facts/conditions.ts'
import { ownerReference } from '../facts/owners.ts'
import { type Controller, type Decision, type Look, NOTHING } from '../loop/controller.ts'
import { hasEndpoints, isOf, servicesOf } from './endpoint-slices.ts'
import { type Endpoint, type EndpointGroup, endpointGroups, familiesOf } from './endpoints.ts'

// Services with a selector → Endpoints, which programs read that are older than EndpointSlices: kubectl until 1.31 shows them.

export function classicEndpoints(): Controller {
  return {
    name: 'endpoint-controller',
    follows: [
      { kind: 'Service', keys: service => [keyOf(service)] },
      { kind: 'Pod', keys: (pod, look, before) => new Set([...servicesOf(pod, look), ...servicesOf(before, look)]) },
      { kind: 'Endpoints', keys: endpoints => [keyOf(endpoints)] },
    ],
    decide: (key, look) => {
      const service = look.one<Service>('Service', key)
      return service === undefined ? NOTHING : endpointsDecision(service, look)
    },
  }
}

type Subset = NonNullable<Endpoints['subsets']>[number]

const TRIGGERED = 'endpoints.kubernetes.io/last-change-trigger-time'
const HEADLESS = 'service.kubernetes.io/headless'

export function endpointsDecision(service: Service, look: Pick<Look, 'all' | 'one' | 'now'>): Decision {
  if (service.metadata.deletionTimestamp !== undefined || !hasEndpoints(service)) return NOTHING
  const pods = [...look.all<Pod>('Pod')].filter(pod => isOf(service, pod))
  // One family: that of the first cluster IP.
  const [family] = familiesOf(service)
  const groups = endpointGroups(service, pods, () => undefined).filter(group => group.addressType === family)
  const subsets = groups.map(subsetOf).filter(subset => subset !== undefined)
  const before = look.one<Endpoints>('Endpoints', keyOf(service))
  const { [HEADLESS]: _, ...own } = service.metadata.labels ?? {}
  const labels = { ...own, ...(service.spec?.clusterIP === 'None' && { [HEADLESS]: '' }) }
  // Those of a Service of the same name that is no more would go with it.
  const ownerReferences = [ownerReference(service)]
  const isOwn = before?.metadata.ownerReferences?.some(({ uid }) => uid === service.metadata.uid) === true
  const known = { subsets: before?.subsets ?? [], labels: before?.metadata.labels ?? {} }
  if (isOwn && isDeepStrictEqual(known, { subsets, labels })) return NOTHING
  const { name = '', namespace } = service.metadata
  const fresh = { name, ...(namespace !== undefined && { namespace }) }
  const annotations = { ...before?.metadata.annotations, [TRIGGERED]: timeText(look.now) }
  const object: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...(before?.metadata ?? fresh), labels, annotations, ...(!isOwn && { ownerReferences }) },
    subsets,
  }
  return { writes: [{ do: before === undefined ? 'create' : 'replace', object }] }
}

/** There is no word in it for a pod that is ending: such a one is left out, unless the Service asks for all. */
function subsetOf({ ports, endpoints }: EndpointGroup): Subset | undefined {
  const shown = [...endpoints.values()].filter(({ conditions }) => conditions?.ready || !conditions?.terminating)
  const named = (isReady: boolean) =>
    shown
      .filter(({ conditions }) => conditions?.ready === isReady)
      .map(addressOf)
      .sort(byAddress)
  const [addresses, notReadyAddresses] = [named(true), named(false)]
  if (shown.length === 0) return undefined
  return {
    ...(addresses.length > 0 && { addresses }),
    ...(notReadyAddresses.length > 0 && { notReadyAddresses }),
    // A port without a name has no field for it here.
    ports: ports.map(({ name, ...port }) => ({ ...(name && { name }), ...port, port: port.port ?? 0 })),
  }
}

type EndpointAddress = NonNullable<Subset['addresses']>[number]

function addressOf({ addresses: [ip = ''], hostname, nodeName, targetRef }: Endpoint): EndpointAddress {
  return { ip, ...(hostname && { hostname }), ...(nodeName && { nodeName }), ...(targetRef && { targetRef }) }
}

function byAddress(a: EndpointAddress, b: EndpointAddress): number {
  return a.ip < b.ip ? -1 : 1
}
