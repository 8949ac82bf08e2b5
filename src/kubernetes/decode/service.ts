import type { V1Service, V1ServicePort, V1ServiceSpec } from '@kubernetes/client-node'
import type { Policy, Service, ServicePortSpec } from '#kubernetes/objects.ts'
import { type Address, FAMILY_LABEL, type Family, familyOf } from '#values/address.ts'
import { isPort, parsePortName } from '#values/names.ts'
import { addressAt, addressIn } from './addresses.ts'
import {
  type Decoded,
  isGiven,
  itemsOf,
  mustBeItems,
  nameAt,
  Problems,
  protocolOf,
  timeOf,
  uidOf,
  unusable,
  usable,
} from './checks.ts'
import { type FieldsOf, fieldsOf, isObject, unproven } from './fields.ts'
import { loadBalancerOf } from './load-balancer.ts'

// A v1 Service → what is kept of it. A part that is wrong is left out; what makes its meaning unsure makes all of it
// unusable.

const TYPES: readonly Service['type'][] = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']
const DEFAULT_STICKY_SECONDS = 10_800
const MOST_STICKY_SECONDS = 86_400

export function decodeService(json: unknown): Decoded {
  const raw = fieldsOf(unproven<V1Service>(json))
  const problems = new Problems()
  const metadata = fieldsOf(raw.metadata)
  const spec = fieldsOf(raw.spec)
  const name = nameAt('Service', metadata, problems)
  if (!isObject(raw.spec)) problems.fail('spec', raw.spec, 'is not an object')
  const type = typeOf(spec, problems)
  const externalPolicy = policyOf('externalTrafficPolicy', spec, problems)
  const stickySeconds = stickiness(spec, problems)
  const healthCheckNodePort = type === 'LoadBalancer' && externalPolicy === 'Local' && healthPort(spec, problems)
  const service = {
    kind: 'Service' as const,
    uid: uidOf(metadata),
    created: timeOf(metadata.creationTimestamp) ?? 0,
    type,
    clusterIPs: type === 'ExternalName' ? [] : clusterIPs(spec, problems),
    ports: ports(spec, problems),
    externalPolicy,
    internalPolicy: policyOf('internalTrafficPolicy', spec, problems),
    externalIPs: externalIPs(spec, problems),
    ...loadBalancerOf(raw, problems),
    ...(stickySeconds !== undefined && { stickySeconds }),
    ...(healthCheckNodePort && { healthCheckNodePort }),
  }
  if (name === undefined || problems.fatal) return unusable('Service', metadata, problems)
  return usable({ ...service, name }, problems)
}

function typeOf({ type }: FieldsOf<V1ServiceSpec>, problems: Problems): Service['type'] {
  if (!isGiven(type) || type === '') return 'ClusterIP'
  const known = TYPES.find(it => it === type)
  if (known === undefined) problems.fail('spec.type', type, `is not one of ${TYPES.join(', ')}`)
  return known ?? 'ClusterIP'
}

/** A policy we do not know might forbid what we would allow: such a Service is not used. */
function policyOf(
  field: 'externalTrafficPolicy' | 'internalTrafficPolicy',
  spec: FieldsOf<V1ServiceSpec>,
  problems: Problems,
): Policy {
  const policy = spec[field]
  if (!isGiven(policy) || policy === '') return 'Cluster'
  if (policy !== 'Cluster' && policy !== 'Local') problems.fail(`spec.${field}`, policy, 'is not Cluster or Local')
  return policy === 'Local' ? 'Local' : 'Cluster'
}

/**
 * Position i of ipFamilies is the family of clusterIPs[i]; without ipFamilies there is just clusterIP, as in
 * kube-proxy.
 */
function clusterIPs(spec: FieldsOf<V1ServiceSpec>, problems: Problems): readonly Address[] {
  const listed = mustBeItems(spec.clusterIPs, 'spec.clusterIPs', problems)
  if (isHeadless(spec.clusterIP)) {
    if (!isHeadless(listed[0])) {
      problems.add('spec.clusterIP', spec.clusterIP, 'makes a Service headless, whatever spec.clusterIPs says')
    }
    return []
  }
  const primary = addressIn('spec.clusterIP', spec.clusterIP, problems)
  if (primary === undefined) {
    problems.fail('spec.clusterIP', spec.clusterIP, 'is not an IP address, None or empty')
    return []
  }
  const families = mustBeItems(spec.ipFamilies, 'spec.ipFamilies', problems)
  const wanted = families.length === 0 ? [FAMILY_LABEL[familyOf(primary)]] : families
  const found = new Map<Family, Address>()
  const candidates = listed.length === 0 ? [primary] : listed
  for (const [i, candidate] of candidates.entries()) {
    const address = clusterIP(candidate, { at: i, family: wanted[i], primary }, problems)
    if (address === undefined) continue
    if (found.has(familyOf(address))) problems.fail(`spec.clusterIPs[${i}]`, candidate, 'is the second of its family')
    else found.set(familyOf(address), address)
  }
  return [...found.values()]
}

interface Listed {
  readonly at: number
  readonly family: unknown
  readonly primary: Address
}

function clusterIP(candidate: unknown, { at, family, primary }: Listed, problems: Problems): Address | undefined {
  const path = `spec.clusterIPs[${at}]`
  const address = addressIn(path, candidate, problems)
  if (address === undefined) problems.fail(path, candidate, 'is not an IP address')
  else if (at === 0 && address !== primary) problems.fail(path, candidate, `is not spec.clusterIP, which is ${primary}`)
  else if (family === undefined) problems.add(path, candidate, 'has no family in spec.ipFamilies and is left out')
  else if (family !== FAMILY_LABEL[familyOf(address)]) {
    problems.fail(`spec.ipFamilies[${at}]`, family, `is not the family of spec.clusterIPs[${at}], ${address}`)
  } else return address
  return undefined
}

function isHeadless(clusterIP: unknown): boolean {
  return !isGiven(clusterIP) || clusterIP === '' || clusterIP === 'None'
}

function ports(spec: FieldsOf<V1ServiceSpec>, problems: Problems): readonly ServicePortSpec[] {
  const kept = new Map<string, ServicePortSpec>()
  for (const [i, raw] of itemsOf(spec.ports, 'spec.ports', problems).entries()) {
    const path = `spec.ports[${i}]`
    const fields = fieldsOf(raw)
    const name = parsePortName(fields.name ?? undefined)
    const protocol = protocolOf(fields.protocol)
    if (name === undefined) problems.add(`${path}.name`, fields.name, 'is not the name of a port')
    else if (protocol === undefined) problems.add(`${path}.protocol`, fields.protocol, 'is not TCP, UDP or SCTP')
    else if (!isPort(fields.port)) problems.add(`${path}.port`, fields.port, 'is not a port from 1 to 65535')
    else if (kept.has(`${name}/${protocol}`)) problems.add(path, name, `is the second ${protocol} port of that name`)
    else kept.set(`${name}/${protocol}`, { name, protocol, port: fields.port, ...nodePort(fields, path, problems) })
  }
  return [...kept.values()]
}

function nodePort(
  { nodePort }: FieldsOf<V1ServicePort>,
  path: string,
  problems: Problems,
): { readonly nodePort?: number } {
  if (!isGiven(nodePort) || nodePort === 0) return {}
  if (isPort(nodePort)) return { nodePort }
  problems.add(`${path}.nodePort`, nodePort, 'is not a port from 1 to 65535')
  return {}
}

function externalIPs(spec: FieldsOf<V1ServiceSpec>, problems: Problems): readonly Address[] {
  const found = new Set<Address>()
  for (const [i, text] of itemsOf(spec.externalIPs, 'spec.externalIPs', problems).entries()) {
    if (typeof text === 'string' && text.trim() === '') continue
    const address = addressAt(`spec.externalIPs[${i}]`, text, problems)
    if (address !== undefined) found.add(address)
  }
  return [...found]
}

function stickiness(spec: FieldsOf<V1ServiceSpec>, problems: Problems): number | undefined {
  const affinity = spec.sessionAffinity
  if (!isGiven(affinity) || affinity === '' || affinity === 'None') return undefined
  if (affinity !== 'ClientIP') {
    problems.add('spec.sessionAffinity', affinity, 'is not ClientIP or None: clients are spread')
    return undefined
  }
  const seconds = fieldsOf(fieldsOf(spec.sessionAffinityConfig).clientIP).timeoutSeconds
  if (!isGiven(seconds)) return DEFAULT_STICKY_SECONDS
  if (Number.isInteger(seconds) && (seconds as number) >= 1 && (seconds as number) <= MOST_STICKY_SECONDS) {
    return seconds as number
  }
  const path = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds'
  problems.add(path, seconds, `is not a number from 1 to ${MOST_STICKY_SECONDS}: ${DEFAULT_STICKY_SECONDS} is used`)
  return DEFAULT_STICKY_SECONDS
}

function healthPort({ healthCheckNodePort }: FieldsOf<V1ServiceSpec>, problems: Problems): number | undefined {
  if (!isGiven(healthCheckNodePort) || healthCheckNodePort === 0) return undefined
  if (isPort(healthCheckNodePort)) return healthCheckNodePort
  problems.add('spec.healthCheckNodePort', healthCheckNodePort, 'is not a port from 1 to 65535')
  return undefined
}
