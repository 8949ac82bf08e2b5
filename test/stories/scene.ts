import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject, EndpointSlice, Node, ObjectKind } from '#kubernetes/objects.ts'
import { documents } from '#kubernetes/sources/files.ts'
import type { Address } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { cidr, ip, node } from '../support/objects.ts'
import { type Line, StoryError } from './lines.ts'
import { changed, type ServiceFields, serviceOf } from './services.ts'
import { sliceOf, withEndpoint } from './slices.ts'
import { addressAt, cidrAt, objectAt, unknown, wordsOf } from './terms.ts'

// The objects so far and the next line of a story → what the line does to them, as events.

/** The addresses of the node's interfaces in the lab: eth0, a second address, and the bridge of its pods. */
const MACHINE = [
  ...['127.0.0.1', '10.99.0.2', '10.99.0.22', '10.244.1.1', '::1', 'fd00:99::2', 'fd00:99::22', 'fd00:244:1::1'],
].map(ip)

export class Scene {
  readonly #objects = new Map<string, ClusterObject>()
  readonly #services = new Map<ObjectName, ServiceFields>()
  #addresses: readonly Address[] = MACHINE

  constructor(nodeName: string) {
    const plain = {
      addresses: [ip('10.99.0.2'), ip('fd00:99::2')],
      podCIDRs: ['10.244.1.0/24', 'fd00:244:1::/64'].map(cidr),
    }
    this.#put(node(nodeName, plain))
  }

  get objects(): readonly ClusterObject[] {
    return [...this.#objects.values()]
  }

  /** The node's own addresses, as its interfaces have them. */
  get addresses(): readonly Address[] {
    return this.#addresses
  }

  /** Applies one line. */
  play(line: Line): readonly Event[] {
    const [verb = '', ...words] = wordsOf(line.text)
    const action = this.#actions[verb]
    if (action === undefined)
      throw unknown(
        line,
        verb,
        `what a line may start with: ${[...Object.keys(this.#actions), 'when', 'expect'].join(', ')}`,
      )
    return action(line, words)
  }

  readonly #actions: Readonly<Record<string, (line: Line, words: readonly string[]) => readonly Event[]>> = {
    node: (line, words) => [this.#node(line, words)],
    machine: (line, words) => this.#machine(line, words),
    service: (line, [name, ...ips]) => [
      this.#service(line, { name: objectAt(line, name), clusterIPs: ips.map(word => addressAt(line, word)) }),
    ],
    change: (line, words) => [this.#change(line, words)],
    slice: (line, words) => [this.#slice(line, words)],
    endpoint: (line, words) => [this.#endpoint(line, words)],
    remove: (line, words) => [this.#remove(line, words)],
    delete: (line, words) => [this.#delete(line, words)],
    yaml: line => this.#yaml(line),
  }

  #service(line: Line, start: ServiceFields): Event {
    const fields = changed(start, line)
    this.#services.set(fields.name, fields)
    return this.#put(serviceOf(fields, line))
  }

  /** `change service shop/cart` */
  #change(line: Line, [kind, name]: readonly string[]): Event {
    const known = kind === 'service' ? this.#services.get(objectAt(line, name)) : undefined
    if (known === undefined) throw unknown(line, `${kind} ${name}`, 'a service of this story: change service shop/cart')
    return this.#service(line, known)
  }

  /** `slice cart-1 of shop/cart`, and `, ipv6` where it is empty. */
  #slice(line: Line, words: readonly string[]): Event {
    const [name, of, owner, family, ...more] = words.map(word => word.replace(/,$/, ''))
    const isKnown = family === undefined || family === 'ipv4' || family === 'ipv6'
    if (of !== 'of' || !isKnown || more.length > 0)
      throw new StoryError(line, 'a slice line reads: slice cart-1 of shop/cart')
    const service = objectAt(line, owner)
    const sliceName = objectAt(line, `${service.split('/')[0]}/${name}`)
    return this.#put(sliceOf({ name: sliceName, service, ...(family && { family }) }, line))
  }

  /** `endpoint 10.244.1.5 on here of cart-1, terminating` */
  #endpoint(line: Line, words: readonly string[]): Event {
    const of = words.indexOf('of')
    const slice = this.#sliceNamed(line, of < 0 ? undefined : words[of + 1]?.replace(/,$/, ''))
    const rest = line.text.replace(/^endpoint\s+/, '').replace(/\s+of\s+[^\s,]+/, '')
    return this.#put(withEndpoint(slice, line, rest))
  }

  /** `remove endpoint 10.244.1.5 of cart-1` */
  #remove(line: Line, [kind, address, of, name]: readonly string[]): Event {
    if (kind !== 'endpoint' || of !== 'of')
      throw new StoryError(line, 'what can be removed reads: remove endpoint 10.244.1.5 of cart-1')
    const slice = this.#sliceNamed(line, name)
    const endpoints = slice.endpoints.filter(endpoint => endpoint.ip !== addressAt(line, address))
    if (endpoints.length === slice.endpoints.length) throw unknown(line, address, `an endpoint of slice ${name}`)
    return this.#put({ ...slice, endpoints })
  }

  /**
   * `delete service shop/cart`, `delete slice cart-1`, `delete node`; the agent keeps the last facts about its node.
   */
  #delete(line: Line, [kind, name]: readonly string[]): Event {
    if (kind === 'slice') return this.#gone('EndpointSlice', this.#sliceNamed(line, name).name)
    if (kind === 'node') return { type: 'gone', kind: 'Node', name: this.#nodeNow(line).name }
    const service = kind === 'service' ? objectAt(line, name) : undefined
    if (service === undefined || !this.#objects.has(`Service ${service}`))
      throw unknown(line, `${kind} ${name}`, 'a service, slice or node of this story')
    this.#services.delete(service)
    return this.#gone('Service', service)
  }

  /** `node in zone a`, `node without zone`, `node addresses 10.99.0.22`, `node podCIDRs 10.244.1.0/24` */
  #node(line: Line, [what, ...words]: readonly string[]): Event {
    const { zone, ...rest } = this.#nodeNow(line)
    const same = { ...rest, ...(zone !== undefined && { zone }) }
    const text = [what, ...words].join(' ')
    const [, inZone] = /^in zone (\S+)$/.exec(text) ?? []
    if (inZone !== undefined) return this.#put({ ...rest, zone: inZone })
    if (text === 'without zone') return this.#put(rest)
    if (what === 'addresses') return this.#put({ ...same, addresses: words.map(word => addressAt(line, word)) })
    if (what === 'podCIDRs') return this.#put({ ...same, podCIDRs: words.map(word => cidrAt(line, word)) })
    throw unknown(line, text, 'one of: in zone a; without zone; addresses IP…; podCIDRs CIDR…')
  }

  /** `machine gains 10.99.0.33`, `machine loses 10.99.0.22` */
  #machine(line: Line, [what, ...words]: readonly string[]): readonly Event[] {
    const named = words.map(word => addressAt(line, word))
    if (what !== 'gains' && what !== 'loses') throw unknown(line, what, 'gains or loses')
    const others = this.#addresses.filter(address => !named.includes(address))
    this.#addresses = what === 'gains' ? [...others, ...named] : others
    return []
  }

  /** As kubectl would write it, through the same decoder as objects from an API server. */
  #yaml(line: Line): readonly Event[] {
    const events = documents([{ name: line.where, text: line.block }]).filter(({ type }) => type !== 'synced')
    for (const event of events) {
      if (event.type === 'put') this.#put(event.object)
      if (event.type === 'gone') this.#gone(event.kind, event.name)
    }
    return events
  }

  #put(object: ClusterObject): Event {
    this.#objects.set(`${object.kind} ${object.name}`, object)
    return { type: 'put', object }
  }

  #gone(kind: ObjectKind, name: ObjectName): Event {
    this.#objects.delete(`${kind} ${name}`)
    return { type: 'gone', kind, name }
  }

  #nodeNow(line: Line): Node {
    const found = this.objects.find(object => object.kind === 'Node')
    if (found?.kind !== 'Node') throw new StoryError(line, 'the node has been deleted')
    return found
  }

  #sliceNamed(line: Line, name: string | undefined): EndpointSlice {
    const found = this.objects
      .filter(object => object.kind === 'EndpointSlice')
      .filter(slice => slice.name.split('/')[1] === name)
    if (found.length !== 1) throw unknown(line, name, 'the name of one slice of this story, without its namespace')
    return found[0]!
  }
}
