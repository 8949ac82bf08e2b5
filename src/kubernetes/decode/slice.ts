import type { V1Endpoint, V1EndpointSlice } from '@kubernetes/client-node'
import type { SliceEndpoint, SlicePort } from '#kubernetes/objects.ts'
import { type Address, FAMILY_LABEL, type Family, familyOf, parseAddress } from '#values/address.ts'
import { isPort, type ObjectName, parsePortName } from '#values/names.ts'
import { addressIn } from './addresses.ts'
import {
  type Decoded,
  isGiven,
  itemsOf,
  type Metadata,
  nameAt,
  nameOf,
  Problems,
  protocolOf,
  timeOf,
  unusable,
  usable,
} from './checks.ts'
import { type FieldsOf, fieldsOf, listOf, type Unproven, unproven } from './fields.ts'
import { interned } from './interned.ts'

// A discovery.k8s.io/v1 EndpointSlice → what is kept of it. Bad endpoints and ports are left out one by one.

const SERVICE_LABEL = 'kubernetes.io/service-name'
const TRIGGER_ANNOTATION = 'endpoints.kubernetes.io/last-change-trigger-time'
type Mutable<T> = { -readonly [K in keyof T]: T[K] }

export function decodeSlice(json: unknown): Decoded {
  const raw = fieldsOf(unproven<V1EndpointSlice>(json))
  const problems = new Problems()
  const metadata = fieldsOf(raw.metadata)
  const name = nameAt('EndpointSlice', metadata, problems)
  const service = serviceOf(metadata, problems)
  const family = familyNamed(raw.addressType, problems)
  if (name === undefined || service === undefined || family === undefined) {
    return unusable('EndpointSlice', metadata, problems)
  }
  const triggered = timeOf(fieldsOf(metadata.annotations)[TRIGGER_ANNOTATION])
  const slice = {
    kind: 'EndpointSlice' as const,
    name,
    service,
    family,
    ports: ports(raw, problems),
    endpoints: endpoints(raw, family, problems),
    ...(triggered !== undefined && { triggered }),
  }
  return usable(slice, problems)
}

/** The label is the only link to the Service; owner references mean nothing here. */
function serviceOf(metadata: Metadata, problems: Problems): ObjectName | undefined {
  const label = fieldsOf(metadata.labels)[SERVICE_LABEL]
  const service = nameOf('Service', { namespace: metadata.namespace, name: label })
  if (service === undefined) problems.fail(`metadata.labels[${SERVICE_LABEL}]`, label, 'does not name a Service')
  return service
}

function familyNamed(addressType: unknown, problems: Problems): Family | undefined {
  if (addressType === 'IPv4') return 'ipv4'
  if (addressType === 'IPv6') return 'ipv6'
  problems.fail('addressType', addressType, 'is not supported: traffic can only be sent to IPv4 or IPv6 addresses')
  return undefined
}

function ports(raw: FieldsOf<V1EndpointSlice>, problems: Problems): readonly SlicePort[] {
  const kept = new Map<string, SlicePort>()
  for (const [i, item] of itemsOf(raw.ports, 'ports', problems).entries()) {
    const fields = fieldsOf(item)
    // The API server makes an absent name the empty one; a file has not been through it.
    const name = parsePortName(fields.name ?? undefined)
    const protocol = protocolOf(fields.protocol)
    if (name === undefined) problems.add(`ports[${i}].name`, fields.name, 'is not the name of a port')
    else if (protocol === undefined) problems.add(`ports[${i}].protocol`, fields.protocol, 'is not TCP, UDP or SCTP')
    else if (!isPort(fields.port)) problems.add(`ports[${i}].port`, fields.port, 'is not a port from 1 to 65535')
    else if (kept.has(`${name}/${protocol}`))
      problems.add(`ports[${i}]`, name, `is the second ${protocol} port of that name`)
    else kept.set(`${name}/${protocol}`, { name, protocol, port: fields.port })
  }
  return [...kept.values()]
}

function endpoints(raw: FieldsOf<V1EndpointSlice>, family: Family, problems: Problems): readonly SliceEndpoint[] {
  const kept: SliceEndpoint[] = []
  const items = itemsOf(raw.endpoints, 'endpoints', problems)
  for (let i = 0; i < items.length; i++) {
    const fields = fieldsOf(items[i])
    const ip = endpointIP(fields, { at: i, family }, problems)
    if (ip !== undefined) kept.push(endpoint(ip, fields))
  }
  return kept
}

/** All addresses of an endpoint are of one pod; like kube-proxy, we use the first. */
function endpointIP(
  { addresses }: FieldsOf<V1Endpoint>,
  { at, family }: { readonly at: number; readonly family: Family },
  problems: Problems,
): Address | undefined {
  const first = listOf(addresses)?.[0]
  const strict = parseAddress(first)
  if (strict !== undefined && familyOf(strict) === family) return strict
  // Only now: a path for each of a hundred thousand good endpoints would be a hundred thousand texts.
  const path = `endpoints[${at}].addresses[0]`
  const ip = addressIn(path, first, problems)
  if (ip !== undefined && familyOf(ip) === family) return ip
  problems.add(path, first, `is not an ${FAMILY_LABEL[family]} address`)
  return undefined
}

function endpoint(ip: Address, fields: FieldsOf<V1Endpoint>): SliceEndpoint {
  const { ready, serving, terminating } = fieldsOf(fields.conditions)
  const conditions = {
    ready: isUnsetOrTrue(ready),
    serving: isUnsetOrTrue(serving),
    terminating: terminating === true,
  }
  const kept = placed(ip, conditions, { nodeName: interned(fields.nodeName), zone: interned(fields.zone) })
  const hints = fieldsOf(fields.hints)
  const forZones = hinted(hints.forZones)
  const forNodes = hinted(hints.forNodes)
  if (forZones !== undefined) kept.forZones = forZones
  if (forNodes !== undefined) kept.forNodes = forNodes
  return kept
}

/** Each with all its names from the start: what is added later is kept apart, 40 bytes for each of a hundred thousand. */
function placed(
  ip: Address,
  { ready, serving, terminating }: Pick<SliceEndpoint, 'ready' | 'serving' | 'terminating'>,
  { nodeName, zone }: { readonly nodeName: string | undefined; readonly zone: string | undefined },
): Mutable<SliceEndpoint> {
  if (nodeName === undefined) return { ip, ready, serving, terminating, ...(zone !== undefined && { zone }) }
  if (zone === undefined) return { ip, ready, serving, terminating, nodeName }
  return { ip, ready, serving, terminating, nodeName, zone }
}

function isUnsetOrTrue(condition: unknown): boolean {
  return !isGiven(condition) || condition === true
}

/** The names of zones or nodes; an empty hint is no hint. */
function hinted(list: Unproven<readonly { readonly name: string }[]> | undefined): readonly string[] | undefined {
  const names = listOf(list)?.map(item => interned(fieldsOf(item).name))
  const known = names?.filter(name => name !== undefined)
  return known?.length === 0 ? undefined : known
}
