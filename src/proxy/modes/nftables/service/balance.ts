import * as words from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, Frontend, PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { endpointsMap, nodePortEndpointsMap } from '#proxy/modes/nftables/maps.ts'
import { chainUnit, elementUnit } from '#proxy/modes/nftables/names.ts'
import { markAtClusterIP } from './sources.ts'

// A plain frontend → elements for its endpoints, and the chain that picks one of that many. The chain does not depend on the
// service: all with that many endpoints share it, each with the same text, and it is deleted with the last of them.

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

/** The gate of a plain service lets every client go to any endpoint. */
function poolOf({ verdict }: Frontend): PoolName {
  return verdict.to === 'pool' ? verdict.pool : 'cluster'
}

/** The key of a frontend, in every map that has it: a node port has no address. */
export function frontendKey({ protocol }: ServiceTraffic, { ip, port }: Frontend): string {
  return ip === undefined ? words.concat(protocol, port) : words.concat(ip, protocol, port)
}

function numbered({ protocol }: ServiceTraffic, frontend: Frontend, endpoints: readonly Endpoint[]): readonly Entry[] {
  const map = frontend.ip === undefined ? nodePortEndpointsMap(protocol) : endpointsMap(protocol)
  const key = frontend.ip === undefined ? String(frontend.port) : words.concat(frontend.ip, frontend.port)
  return endpoints.map(({ ip, port }, i) => ({
    unit: elementUnit(map, words.concat(key, i)),
    text: rule(':', words.concat(ip, port)),
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
