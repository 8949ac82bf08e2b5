import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject, EndpointSlice, Policy, Service, SliceEndpoint } from '#kubernetes/objects.ts'
import type { Protocol } from '#values/protocol.ts'
import { cidr, endpoint, ip, name, node, port, service, slice, slicePort } from './objects.ts'

// A seed → an endless walk through clusters: each step is an event that an API server could send.

export class Walk {
  readonly #chance: () => number
  readonly #objects = new Map<string, ClusterObject>()

  constructor(seed: number) {
    this.#chance = mulberry(seed)
  }

  /** The objects after the steps so far. */
  get objects(): readonly ClusterObject[] {
    return [...this.#objects.values()]
  }

  happens(part: number): boolean {
    return this.#chance() < part
  }

  /** One of these; undefined where there is none. */
  pick<T>(some: readonly T[]): T | undefined {
    return some.length === 0 ? undefined : this.#one(some)
  }

  step(): Event {
    const kinds = [this.#service, this.#service, this.#slice, this.#slice, this.#slice, this.#goes, this.#node] as const
    const event = this.#one(kinds).call(this)
    if (event.type === 'put') this.#objects.set(`${event.object.kind} ${event.object.name}`, event.object)
    if (event.type === 'gone') this.#objects.delete(`${event.kind} ${event.name}`)
    return event
  }

  #service(): Event {
    const n = this.#below(12)
    const six = this.happens(0.5) ? [`fd10:96::${n + 1}`] : []
    const guarded = this.happens(0.3)
    const object: Service = service(`shop/s${n}`, this.happens(0.95) ? [`10.96.0.${n + 1}`, ...six] : [], {
      created: this.#below(3),
      type: this.#one(['ClusterIP', 'NodePort', 'LoadBalancer']),
      ports: [
        port({ name: 'a', port: 80, protocol: this.#protocol(), ...this.#nodePort() }),
        ...(this.happens(0.4) ? [port({ name: 'b', port: 81, protocol: this.#protocol(), ...this.#nodePort() })] : []),
      ],
      externalPolicy: this.#policy(),
      internalPolicy: this.#policy(),
      externalIPs: this.happens(0.3) ? [ip(`198.18.0.${this.#below(3)}`), ip('fd00:198::1')] : [],
      loadBalancerIPs: this.happens(0.4) ? [ip(`198.18.1.${this.#below(3)}`)] : [],
      sourceRanges: guarded ? [cidr('203.0.113.0/24'), cidr('10.99.0.0/24')] : [],
      ...(this.happens(0.3) && { stickySeconds: this.#one([10, 10800]) }),
      ...(this.happens(0.2) && { healthCheckNodePort: 32000 + n }),
    })
    return { type: 'put', object }
  }

  #slice(): Event {
    const n = this.#below(12)
    const family = this.#one(['ipv4', 'ipv6'] as const)
    const address = (i: number): string =>
      family === 'ipv4' ? `10.244.${this.#below(2) + 1}.${i}` : `fd00:244:${this.#below(2) + 1}::${i}`
    const endpoints = Array.from({ length: this.#below(5) }, (_, i) => endpoint(address(i + 2), this.#conditions()))
    const ports = ['a', 'b'].flatMap(called =>
      (['tcp', 'udp', 'sctp'] as const).map(protocol => slicePort(8080, called, protocol)),
    )
    const object: EndpointSlice = slice(`shop/e${n}-${family}-${this.#below(2)}`, `shop/s${n}`, endpoints, {
      family,
      ports,
    })
    return { type: 'put', object }
  }

  #goes(): Event {
    // The deletion of our own Node keeps the last facts about it, which a start from nothing would not have.
    const objects = this.objects.filter(({ kind }) => kind !== 'Node')
    if (objects.length === 0) return this.#service()
    const { kind, name: called } = this.#one(objects)
    return { type: 'gone', kind, name: called }
  }

  #node(): Event {
    const zone = this.#one(['a', 'b', undefined])
    return { type: 'put', object: node('here', { addresses: [ip('10.99.0.2')], ...(zone !== undefined && { zone }) }) }
  }

  #conditions(): Partial<SliceEndpoint> {
    const state = this.#one([
      { ready: true },
      { ready: true },
      { ready: false, serving: true, terminating: true },
      { ready: false, serving: false },
    ])
    const hint = this.happens(0.3) ? { forZones: [this.#one(['a', 'b'])] } : {}
    return { ...state, ...hint, nodeName: this.#one(['here', 'there']) }
  }

  #nodePort(): { nodePort?: number } {
    return this.happens(0.4) ? { nodePort: 30000 + this.#below(6) } : {}
  }

  #protocol(): Protocol {
    return this.#one(['tcp', 'tcp', 'udp', 'sctp'])
  }

  #policy(): Policy {
    return this.#one(['Cluster', 'Cluster', 'Local'])
  }

  #below(n: number): number {
    return Math.floor(this.#chance() * n)
  }

  #one<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!
  }
}

export const NODE_NAME = name('here')

/** A small generator of numbers from 0 to 1, the same for the same seed. */
function mulberry(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
