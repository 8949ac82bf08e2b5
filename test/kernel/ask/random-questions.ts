import type { Explanation } from '#explain/answer.ts'
import { explained } from '#explain/explained.ts'
import type { ClusterObject, Policy, SliceEndpoint } from '#kubernetes/objects.ts'
import { NODE } from '#lab/network/topology.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { End, Packet } from '#proxy/modes/trace.ts'
import { Draft } from '#proxy/sync/draft.ts'
import type { Address } from '#values/address.ts'
import type { ModeOf } from '../../stories/check.ts'
import type { StoryPacket } from '../../stories/expectations.ts'
import { STORY_FLAGS } from '../../stories/flag-line.ts'
import type { Story } from '../../stories/story.ts'
import { nodeFacts } from '../../support/flags.ts'
import { cidr, endpoint, ip, node, port, service, slice } from '../../support/objects.ts'

// A seed → a random cluster and random packets, and what explain says of each, as a story that a stage puts to real packets.

export interface Asked {
  readonly story: Story
  readonly explanations: readonly Explanation[]
}

/** Pods of the lab's node, by the last number of their addresses. */
export const PODS = [2, 5, 6, 7] as const
const NODE_IP = ip(NODE.ip4)
const REMOTE_PODS = ['10.244.2.3', '10.244.2.4']
const CLIENTS = ['203.0.113.7', '198.51.100.9']
const SERVICES = 14

export function randomQuestions(seed: number, packets: number, modeOf: ModeOf): Asked {
  const random = new Random(seed)
  const objects: readonly ClusterObject[] = [
    node('here', { addresses: [NODE_IP], podCIDRs: [cidr('10.244.1.0/24')] }),
    ...Array.from({ length: SERVICES }, (_, n) => randomService(random, n)).flat(),
  ]
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const mode = modeOf('ipv4')
  const addresses = [ip('127.0.0.1'), NODE_IP]
  const draft = new Draft(cluster, mode, nodeFacts({ flags: STORY_FLAGS, family: 'ipv4', addresses }))
  draft.update()
  const { thisNode, view } = draft.nodeFacts!
  const asked = Array.from({ length: packets }, (_, i) => {
    const sent = randomPacket(random)
    const explanation = explained({
      ...{ mode, ruleset: draft.book.rules, node: 'here', rules: 'wanted' as const },
      packet: { ...sent, nodeAddresses: addresses },
      from: { label: sent.from, address: sent.from },
      to: { label: '', address: sent.to, port: sent.port, protocol: sent.protocol },
      asked: { cluster, thisNode, view },
      around: { nodes: [], pods: undefined, leased: undefined },
      before: [],
      after: () => [],
    })
    return { sent, explanation, where: `seed ${seed}, packet ${i}` }
  })
  const expectations = asked.map(({ sent, explanation, where }) => ({
    about: 'packet' as const,
    packet: sent,
    ends: endsOf(explanation),
    line: { where, text: `${sent.source} ${sent.from} -> ${sent.to}:${sent.port}`, children: [], block: '' },
  }))
  const events = objects.map(object => ({ type: 'put', object }) as const)
  const step = { where: `seed ${seed}`, title: 'at first', events, objects, addresses, expectations }
  const story = { file: 'random', title: `seed ${seed}`, flags: STORY_FLAGS, steps: [step] }
  return { story, explanations: asked.map(({ explanation }) => explanation) }
}

/** Each once, however many ways lead there. */
function endsOf({ ways }: Explanation): readonly End[] {
  return [...new Map(ways.map(({ end }) => [JSON.stringify(end), end as End])).values()]
}

function randomService(random: Random, n: number): readonly ClusterObject[] {
  const called = `shop/s${n}`
  const policy = (): Policy => (random.happens(0.35) ? 'Local' : 'Cluster')
  const isOutward = random.happens(0.6)
  const created = service(called, [`10.96.0.${n + 1}`], {
    ports: [port({ port: 80, ...(isOutward && { nodePort: 30_000 + n }) })],
    internalPolicy: policy(),
    externalPolicy: policy(),
    ...(isOutward && { type: random.pick(['NodePort', 'LoadBalancer'] as const) }),
    ...(random.happens(0.4) && { externalIPs: [ip(`198.18.1.${n + 1}`)] }),
    ...(isOutward && random.happens(0.7) && { loadBalancerIPs: [ip(`198.18.2.${n + 1}`)] }),
    ...(random.happens(0.3) && {
      sourceRanges: [cidr(random.pick(['203.0.113.0/24', '10.244.0.0/16', '192.0.2.0/24']))],
    }),
  })
  const all = [...PODS.map(last => `10.244.1.${last}`), ...REMOTE_PODS]
  const chosen = all.filter(() => random.happens(random.pick([0, 0.25, 0.6])))
  const endpoints = chosen.map(address => randomEndpoint(random, address))
  return [created, ...(endpoints.length === 0 ? [] : [slice(`${called}-1`, called, endpoints)])]
}

function randomEndpoint(random: Random, address: string): SliceEndpoint {
  const nodeName = address.startsWith('10.244.1.') ? 'here' : 'there'
  const condition = random.pick([{}, {}, {}, { ready: false, serving: false }, { ready: false, terminating: true }])
  return endpoint(address, { nodeName, ...condition })
}

function randomPacket(random: Random): StoryPacket {
  const n = random.below(SERVICES) + 1
  const [to, at] = random.pick([
    [`10.96.0.${n}`, 80],
    [`10.96.0.${n}`, 80],
    [`198.18.1.${n}`, 80],
    [`198.18.2.${n}`, 80],
    [NODE.ip4, 30_000 + n - 1],
    [`10.96.0.${n}`, 81],
    ['10.96.7.7', 80],
  ] as const)
  const goal = { to: ip(to), port: at, protocol: 'tcp' } as const
  const source = random.pick(['pod', 'pod', 'node', 'outside'] as const)
  const via = (iface: string): Packet['via'] => ({ hook: 'prerouting', iface })
  if (source === 'node') return { source, from: NODE_IP, via: { hook: 'output' }, ...goal }
  if (source === 'pod') return { source, from: podOf(random), via: via('cni0'), ...goal }
  return { source, from: ip(random.pick(CLIENTS)), via: via('eth0'), ...goal }
}

function podOf(random: Random): Address {
  return ip(`10.244.1.${random.pick(PODS)}`)
}

class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** As mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  below(count: number): number {
    return Math.floor(this.next() * count)
  }

  happens(part: number): boolean {
    return this.next() < part
  }

  pick<T>(some: readonly T[]): T {
    return some[this.below(some.length)]!
  }
}
