import * as words from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, Frontend, PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { endpointsMap, nodePortEndpointsMap } from '#proxy/modes/nftables/maps.ts'
import { chainUnit, elementUnit } from '#proxy/modes/nftables/names.ts'
import { markAtClusterIP } from './sources.ts'

// A plain frontend → elements for its endpoints, and the chain that picks one of so many. The chain knows nothing of
// the service: all with that many endpoints share it, each wants it in the same words, and it goes with the last.

export interface Balanced {
  readonly entries: readonly Entry[]
  /** Where the frontend's own element leads. */
  readonly chain: string
}

export function balance(traffic: ServiceTraffic, node: NodeView, frontend: Frontend): Balanced {
  const endpoints = traffic.pools[poolOf(frontend)]
  const balancer = frontend.ip === undefined ? nodePortBalancer : frontend.verdict.to === 'gate' ? outer : inner
  const { chain, lines } = balancer(traffic, node, endpoints.length)
  return {
    chain,
    entries: [{ unit: chainUnit(chain), text: lines.join('\n') }, ...numbered(traffic, frontend, endpoints)],
  }
}

/** Through the gate of a plain service comes who may go anywhere. */
function poolOf({ verdict }: Frontend): PoolName {
  return verdict.to === 'pool' ? verdict.pool : 'cluster'
}

/** What a door's key looks like in every map it is in: a node port has no address. */
export function doorKey({ protocol }: ServiceTraffic, { ip, port }: Frontend): string {
  return ip === undefined ? words.concat(protocol, port) : words.concat(ip, protocol, port)
}

function numbered({ protocol }: ServiceTraffic, door: Frontend, endpoints: readonly Endpoint[]): readonly Entry[] {
  const map = door.ip === undefined ? nodePortEndpointsMap(protocol) : endpointsMap(protocol)
  const key = door.ip === undefined ? String(door.port) : words.concat(door.ip, door.port)
  return endpoints.map(({ ip, port }, i) => ({
    unit: elementUnit(map, words.concat(key, i)),
    text: `: ${words.concat(ip, port)}`,
  }))
}

interface Balancer {
  readonly chain: string
  readonly lines: readonly string[]
}

type MakeBalancer = (traffic: ServiceTraffic, node: NodeView, n: number) => Balancer

const inner: MakeBalancer = (traffic, node, n) => {
  const mark = markAtClusterIP(traffic, node)
  const { protocol, masquerade } = traffic
  if (mark === undefined) return { chain: `lb-${protocol}-${n}`, lines: [pick(traffic, node, n)] }
  if (masquerade === 'all') return outer(traffic, node, n)
  return { chain: `cluster-ip-lb-${protocol}-${n}`, lines: [mark, pick(traffic, node, n)] }
}

const outer: MakeBalancer = (traffic, node, n) => ({
  chain: `external-lb-${traffic.protocol}-${n}`,
  lines: [words.setMark(node.mark), pick(traffic, node, n)],
})

const nodePortBalancer: MakeBalancer = ({ protocol }, { family, mark }, n) => {
  const key = words.concat(words.dport(protocol), words.oneOf(n))
  const found = rule(key, 'map', `@${nodePortEndpointsMap(protocol)}`)
  return { chain: `nodeport-lb-${protocol}-${n}`, lines: [words.setMark(mark), words.dnatBy(family, found)] }
}

function pick({ protocol }: ServiceTraffic, { family }: NodeView, n: number): string {
  const key = words.concat(words.FAMILY_WORDS[family].daddr, words.dport(protocol), words.oneOf(n))
  return words.dnatBy(family, rule(key, 'map', `@${endpointsMap(protocol)}`))
}
