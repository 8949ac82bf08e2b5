import * as words from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, PoolName, ServiceTraffic, Verdict } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { affinitySet } from '#proxy/modes/nftables/maps.ts'
import { chainUnit, type OwnNames, ownNames } from '#proxy/modes/nftables/names.ts'
import { fromLocalPod, markAtClusterIP } from './sources.ts'

// A service port that maps alone cannot serve → chains of its own: for session affinity, and for policy Local at outward
// addresses, where the way depends on the source.

/** The chain a frontend's element leads to; nothing where the shared balancers will do. */
export function ownWay(traffic: ServiceTraffic, verdict: Verdict): string | undefined {
  if (!needsOwn(traffic)) return undefined
  const names = ownNames(traffic)
  if (verdict.to === 'gate') return names.external
  if (verdict.to !== 'pool' || traffic.stickySeconds === undefined) return undefined
  return traffic.masquerade === 'never' ? names[verdict.pool] : names.internal
}

export function ownChains(traffic: ServiceTraffic, node: NodeView): readonly Entry[] {
  if (!needsOwn(traffic)) return []
  const own: Own = { traffic, node, names: ownNames(traffic) }
  const pools = (['cluster', 'local'] as const).filter(name => traffic.pools[name].length > 0)
  return [
    ...arrivals(own),
    ...pools.map(name => poolChain(own, name)),
    ...internalChain(own),
    ...(traffic.gate === undefined ? [] : [externalChain(own)]),
  ]
}

function needsOwn({ stickySeconds, gate }: ServiceTraffic): boolean {
  return stickySeconds !== undefined || gate?.policy === 'Local'
}

interface Own {
  readonly traffic: ServiceTraffic
  readonly node: NodeView
  readonly names: OwnNames
}

function chain(name: string, lines: readonly (string | false)[]): Entry {
  return { unit: chainUnit(name), text: lines.filter(line => line !== false).join('\n') }
}

/** With session affinity, each endpoint has a chain, and a set of the clients that were sent to it. */
function arrivals({ traffic, node: { family }, names }: Own): readonly Entry[] {
  const { protocol, pools, stickySeconds } = traffic
  if (stickySeconds === undefined) return []
  const all = new Map([...pools.cluster, ...pools.local].map(endpoint => [endpoint.text, endpoint]))
  return [...all.values()].flatMap(endpoint => [
    affinitySet(family, names.affinity(endpoint)),
    chain(names.endpoint(endpoint), [
      words.remember(family, names.affinity(endpoint), stickySeconds),
      words.dnatTo(protocol, endpoint.ip, endpoint.port),
    ]),
  ])
}

/** A client in an endpoint's set goes to that endpoint; all others are spread evenly. */
function poolChain(own: Own, pool: PoolName): Entry {
  const { traffic, node, names } = own
  const endpoints = traffic.pools[pool]
  if (traffic.stickySeconds === undefined) return chain(names[pool], [anywhere(own, endpoints)])
  const { saddr } = words.FAMILY_WORDS[node.family]
  const back = endpoints.map(to => rule(saddr, `@${names.affinity(to)}`, `goto ${names.endpoint(to)}`))
  const choices = endpoints.map((to, i) => `${i} : goto ${names.endpoint(to)}`)
  return chain(names[pool], [...back, rule(words.oneOf(endpoints.length), 'vmap', words.braces(choices))])
}

function anywhere({ traffic: { protocol }, node }: Own, endpoints: readonly Endpoint[]): string {
  const choices = endpoints.map(({ ip, port }, i) => `${i} : ${words.concat(ip, port)}`)
  const found = rule(words.oneOf(endpoints.length), 'map', words.braces(choices))
  return rule(words.L4PROTO, protocol, words.dnatBy(node.family, found))
}

/** With session affinity, the cluster IP and the outward addresses share their sets, but not which packets are masqueraded. */
function internalChain({ traffic, node, names }: Own): readonly Entry[] {
  const mark = markAtClusterIP(traffic, node)
  const frontend = traffic.frontends.find(({ kind }) => kind === 'cluster-ip')
  if (traffic.stickySeconds === undefined || mark === undefined || frontend?.verdict.to !== 'pool') return []
  return [chain(names.internal, [mark, `goto ${names[frontend.verdict.pool]}`])]
}

function externalChain({ traffic: { gate }, node, names }: Own): Entry {
  const mark = words.setMark(node.mark)
  if (gate?.policy !== 'Local') return chain(names.external, [mark, `goto ${names.cluster}`])
  const pod = fromLocalPod(node, 'is')
  const fromNode = 'fib saddr type local'
  return chain(names.external, [
    pod !== undefined && rule(pod, `goto ${names.cluster}`),
    rule(fromNode, mark),
    rule(fromNode, `goto ${names.cluster}`),
    gate.others === 'local' && `goto ${names.local}`,
  ])
}
