import type { Policy, Service, ServicePortSpec } from '#kubernetes/objects.ts'
import type { Address } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { type Line, StoryError } from './lines.ts'
import {
  addressAt,
  cidrAt,
  momentAt,
  oneOf,
  portAt,
  portNameAt,
  portOfProtocolAt,
  secondsAt,
  unknown,
  wordsOf,
} from './terms.ts'

// A `service` block of a story ⇄ a Service: each line one field, by the name it has in Kubernetes.

export interface ServiceFields extends Partial<Omit<Service, 'kind' | 'name' | 'uid'>> {
  readonly name: ObjectName
}

const POLICIES: readonly Policy[] = ['Cluster', 'Local']
const TYPES: readonly Service['type'][] = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName']
const CREATED = Date.parse('2026-01-01')

/** The fields under the line replace those known so far; port lines replace all ports. */
export function changed(before: ServiceFields, line: Line): ServiceFields {
  const ports = line.children.filter(({ text }) => text.startsWith('port '))
  const fields = line.children.filter(child => !ports.includes(child)).map(fieldAt)
  return Object.assign({ ...before }, ...fields, ports.length > 0 && { ports: ports.map(portLine) })
}

/** Fields that the story leaves out get the API server's defaults. */
export function serviceOf(fields: ServiceFields, line: Line): Service {
  const { ports = [], clusterIPs = [], loadBalancerIPs = [] } = fields
  if (ports.length === 0) throw new StoryError(line, `service ${fields.name} has no port line`)
  const hasNodePort = ports.some(({ nodePort }) => nodePort !== undefined)
  const { stickySeconds, healthCheckNodePort } = fields
  return {
    kind: 'Service',
    name: fields.name,
    uid: fields.name,
    created: fields.created ?? CREATED,
    type: fields.type ?? (loadBalancerIPs.length > 0 ? 'LoadBalancer' : hasNodePort ? 'NodePort' : 'ClusterIP'),
    clusterIPs,
    ports,
    externalPolicy: fields.externalPolicy ?? 'Cluster',
    internalPolicy: fields.internalPolicy ?? 'Cluster',
    externalIPs: fields.externalIPs ?? [],
    loadBalancerIPs,
    sourceRanges: fields.sourceRanges ?? [],
    ...(stickySeconds !== undefined && { stickySeconds }),
    ...(healthCheckNodePort !== undefined && { healthCheckNodePort }),
  }
}

function fieldAt(line: Line): Partial<ServiceFields> {
  const [field = '', ...words] = wordsOf(line.text)
  const read = FIELDS[field]
  if (read === undefined) throw unknown(line, field, `a field of a Service: port, ${Object.keys(FIELDS).join(', ')}`)
  return read(line, words)
}

type Read = (line: Line, words: readonly string[]) => Partial<ServiceFields>

const FIELDS: Readonly<Record<string, Read>> = {
  type: (line, [type]) => ({ type: oneOf(line, type, TYPES) }),
  clusterIPs: (line, words) => ({ clusterIPs: addresses(line, words) }),
  externalIPs: (line, words) => ({ externalIPs: addresses(line, words) }),
  loadBalancer: (line, words) => ({ loadBalancerIPs: addresses(line, words) }),
  loadBalancerSourceRanges: (line, words) => ({ sourceRanges: listed(words).map(word => cidrAt(line, word)) }),
  externalTrafficPolicy: (line, [policy]) => ({ externalPolicy: oneOf(line, policy, POLICIES) }),
  internalTrafficPolicy: (line, [policy]) => ({ internalPolicy: oneOf(line, policy, POLICIES) }),
  sessionAffinity: (line, [time]) => stickiness(line, time),
  healthCheckNodePort: (line, [port]) => ({ healthCheckNodePort: portAt(line, port) }),
  created: (line, [moment]) => ({ created: momentAt(line, moment) }),
}

/** A field that is left out stays as it was, so `none` removes it. */
function stickiness(line: Line, time: string | undefined): Partial<ServiceFields> {
  return { stickySeconds: time === 'none' ? undefined : secondsAt(line, time) } as Partial<ServiceFields>
}

function addresses(line: Line, words: readonly string[]): readonly Address[] {
  if (words.length === 0) throw unknown(line, undefined, 'addresses, or none')
  return listed(words).map(word => addressAt(line, word))
}

function listed(words: readonly string[]): readonly string[] {
  return words[0] === 'none' ? [] : words
}

/** `port 80`, `port dns 53/udp nodePort 30053` */
function portLine(line: Line): ServicePortSpec {
  const [, ...words] = wordsOf(line.text)
  const isNamed = words[0] !== undefined && !/^\d/.test(words[0])
  const [name, spec, keyword, nodePort, ...more] = isNamed ? words : ['', ...words]
  if (more.length > 0 || (keyword !== undefined && keyword !== 'nodePort'))
    throw new StoryError(line, 'a port line reads: port NAME NUMBER/PROTOCOL nodePort NUMBER')
  return {
    name: portNameAt(line, name!),
    ...portOfProtocolAt(line, spec),
    ...(keyword !== undefined && { nodePort: portAt(line, nodePort) }),
  }
}
