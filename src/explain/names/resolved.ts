import { nearest } from '#config/table/nearest.ts'
import type { Service, ServicePortSpec } from '#kubernetes/objects.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import type { Protocol } from '#values/protocol.ts'
import type { Directory, KnownPod } from './directory.ts'
import type { Goal, Party } from './party.ts'

// What is named → addresses and ports, or one line that says what is there instead.

export interface SourceParty {
  readonly label: string
  readonly addresses: readonly Address[]
  readonly pod?: KnownPod
  /** The node it is on, where that is known. */
  readonly node?: string
}

export interface TargetParty {
  readonly label: string
  readonly to: Address
  readonly port: number
  readonly protocol: Protocol
}

export async function sourceOf(party: Party, directory: Directory): Promise<SourceParty> {
  if (party.is === 'address') return addressSource(party.address, directory)
  if (party.is === 'node') return nodeSource(party.name ?? directory.nodeName, directory)
  if (party.is === 'service') throw new Error('FROM: a Service sends nothing')
  return podSource(await podNamed(party, directory, 'FROM'))
}

export function podSource(pod: KnownPod, addresses = pod.addresses): SourceParty {
  return { label: `pod ${pod.pod}`, addresses, pod, ...(pod.node !== '' && { node: pod.node }) }
}

async function addressSource(address: Address, directory: Directory): Promise<SourceParty> {
  const label = String(address)
  const node = directory.nodes.find(({ addresses }) => addresses.includes(address))
  if (node !== undefined) return { label: `node ${node.name}`, addresses: [address], node: node.name }
  const pod = (await directory.pods())?.find(one => !one.isFinished && !one.isOnHost && one.addresses.includes(address))
  return pod === undefined ? { label, addresses: [address] } : podSource(pod, [address])
}

function nodeSource(name: string, { nodes }: Directory): SourceParty {
  const node = nodes.find(one => one.name === name)
  if (node === undefined)
    throw unknown(
      'FROM',
      'node',
      name,
      nodes.map(one => one.name),
    )
  if (node.addresses.length === 0) throw new Error(`FROM: node ${name} has no address in its status`)
  return { label: `node ${name}`, addresses: node.addresses, node: name }
}

/** Several where a Service is named without a port. */
export async function targetsOf(
  goal: Goal,
  directory: Directory,
  family: Family | undefined,
): Promise<readonly TargetParty[]> {
  const { party, port, protocol } = goal
  switch (party.is) {
    case 'address':
      return [{ label: '', to: party.address, port: numberOf(port), protocol: protocol ?? 'tcp' }]
    case 'service':
      return serviceTargets(serviceNamed(party, directory), goal, family)
    case 'node': {
      const name = party.name ?? directory.nodeName
      const node = directory.nodes.find(one => one.name === name)
      if (node === undefined)
        throw unknown(
          'TO:PORT',
          'node',
          name,
          directory.nodes.map(one => one.name),
        )
      const to = ofFamily(node.addresses, family)
      if (to === undefined) throw new Error(`TO:PORT: node ${name} has no ${familyWord(family)}address`)
      return [{ label: `node ${name}`, to, port: numberOf(port), protocol: protocol ?? 'tcp' }]
    }
    case 'pod': {
      const pod = await podNamed(party, directory, 'TO:PORT')
      const to = ofFamily(pod.addresses, family)
      if (to === undefined) throw new Error(`TO:PORT: pod ${pod.pod} has no ${familyWord(family)}address`)
      return [{ label: `pod ${pod.pod}`, to, port: numberOf(port), protocol: protocol ?? 'tcp' }]
    }
  }
}

function serviceTargets(
  service: Service,
  { port, protocol }: Pick<Goal, 'port' | 'protocol'>,
  family: Family | undefined,
): readonly TargetParty[] {
  const { name, type, clusterIPs, ports } = service
  if (type === 'ExternalName')
    throw new Error(`TO:PORT: ${name} is of type ExternalName: a name in DNS, and no rules lead there`)
  if (clusterIPs.length === 0)
    throw new Error(`TO:PORT: ${name} is headless: DNS gives the addresses of its pods, and no rules lead there`)
  const to = ofFamily(clusterIPs, family)
  if (to === undefined)
    throw new Error(
      `TO:PORT: ${name} has no ${familyWord(family)}cluster IP, and FROM is of that family; it has ${clusterIPs.join(', ')}`,
    )
  const meant = ports.filter(spec => isMeant(spec, port) && (protocol === undefined || spec.protocol === protocol))
  if (meant.length === 0) {
    const wanted = `${port ?? ''}${protocol === undefined ? '' : `/${protocol}`}`
    throw new Error(`TO:PORT: ${name} has no port ${JSON.stringify(wanted)}; it has ${portList(ports)}`)
  }
  return meant.map(spec => ({
    label: `Service ${name}${spec.name === '' ? '' : `, port ${spec.name}`}`,
    to,
    port: spec.port,
    protocol: spec.protocol,
  }))
}

function isMeant(spec: ServicePortSpec, port: string | undefined): boolean {
  return port === undefined || spec.name === port || String(spec.port) === port
}

export function portList(ports: readonly ServicePortSpec[]): string {
  const texts = ports.map(({ name, port, protocol }) => `${port}/${protocol}${name === '' ? '' : ` (${name})`}`)
  return texts.length === 0 ? 'none' : texts.join(', ')
}

function serviceNamed({ namespace, name }: Named, { cluster, namespace: usual }: Directory): Service {
  const full = `${namespace ?? usual}/${name}` as ObjectName
  const service = cluster.service(full)
  if (service !== undefined) return service
  throw unknown(
    'TO:PORT',
    'Service',
    full,
    [...cluster.services()].map(one => one.name),
  )
}

type Named = Extract<Party, { is: 'pod' | 'service' }>

async function podNamed({ namespace, name }: Named, directory: Directory, field: string): Promise<KnownPod> {
  const full = `${namespace ?? directory.namespace}/${name}`
  const pods = await directory.pods()
  if (pods === undefined)
    throw new Error(`${field}: pod ${JSON.stringify(full)}: no pods are known here; give its address instead`)
  const pod = pods.find(one => one.pod === full)
  if (pod === undefined)
    throw unknown(
      field,
      'pod',
      full,
      pods.map(one => one.pod),
    )
  if (pod.isFinished) throw new Error(`${field}: pod ${full} has ended, and its address is free`)
  if (pod.addresses.length === 0) throw new Error(`${field}: pod ${full} has no address yet`)
  return pod
}

function unknown(field: string, kind: string, name: string, names: readonly string[]): Error {
  const near = nearest(name, names)
  const hint = near === undefined ? `there are ${names.length}` : `did you mean ${near}?`
  return new Error(`${field}: there is no ${kind} ${JSON.stringify(name)}; ${hint}`)
}

/** Of Services it has been looked at already. */
function numberOf(port: string | undefined): number {
  // Number() takes `0x50` and `1e3`, too.
  if (port !== undefined && /^\d+$/.test(port)) return Number(port)
  throw new Error(`TO:PORT: port ${JSON.stringify(port)} must be a number: only Services have names for ports here`)
}

function ofFamily(addresses: readonly Address[], family: Family | undefined): Address | undefined {
  return family === undefined ? addresses[0] : addresses.find(address => familyOf(address) === family)
}

function familyWord(family: Family | undefined): string {
  return family === undefined ? '' : family === 'ipv4' ? 'IPv4 ' : 'IPv6 '
}
