import * as words from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import * as maps from '#proxy/modes/nftables/maps.ts'
import { elementUnit, ownNames, REJECT } from '#proxy/modes/nftables/names.ts'
import { balance, frontendKey } from './balance.ts'
import { firewall } from './firewall.ts'
import { ownChains, ownWay } from './own.ts'

// One service port → the elements of its frontends; and chains of its own, for what maps cannot express.

export function service(traffic: ServiceTraffic, node: NodeView): readonly Entry[] {
  const { frontends } = traffic
  const open = frontends.filter(({ admits }) => admits !== 'none')
  const shut = frontends.filter(({ admits }) => admits !== 'all')
  return [
    ...onePerKey(traffic, open).flatMap(frontend => opening(traffic, node, frontend)),
    ...onePerKey(traffic, shut).map(frontend => refusal(traffic, frontend)),
    ...frontends.filter(({ sourceRanges }) => sourceRanges !== undefined).map(frontend => guard(traffic, frontend)),
    ...frontends.filter(({ kind }) => kind === 'cluster-ip').map(({ ip }) => member(maps.CLUSTER_IPS, ip!)),
    ...hairpins(traffic),
    ...ownChains(traffic, node),
    ...firewall(traffic, node.family),
  ]
}

/** A cluster IP may be an external IP of the same Service. A map has one element for an address and port: the first frontend's. */
function onePerKey(traffic: ServiceTraffic, frontends: readonly Frontend[]): readonly Frontend[] {
  const keys = frontends.map(frontend => frontendKey(traffic, frontend))
  return frontends.filter((_, i) => keys.indexOf(keys[i]!) === i)
}

function opening(traffic: ServiceTraffic, node: NodeView, frontend: Frontend): readonly Entry[] {
  const map = frontend.ip === undefined ? maps.SERVICE_NODEPORTS : maps.SERVICE_IPS
  const own = ownWay(traffic, frontend.verdict)
  if (own !== undefined) return [leads(traffic, frontend, { map, verdict: `goto ${own}` })]
  const { chain, entries } = balance(traffic, node, frontend)
  return [leads(traffic, frontend, { map, verdict: `goto ${chain}` }), ...entries]
}

/**
 * For packets that no map sends to an endpoint. Without any endpoint they are rejected at once; with endpoints, but none where the
 * policy allows, they are dropped, as for want of a route.
 */
function refusal(traffic: ServiceTraffic, frontend: Frontend): Entry {
  const map = frontend.ip === undefined ? maps.NO_ENDPOINT_NODEPORTS : maps.NO_ENDPOINT_SERVICES
  return leads(traffic, frontend, { map, verdict: frontend.verdict.to === 'reject' ? `goto ${REJECT}` : 'drop' })
}

function guard(traffic: ServiceTraffic, frontend: Frontend): Entry {
  return leads(traffic, frontend, { map: maps.FIREWALL_IPS, verdict: `goto ${ownNames(traffic).firewall}` })
}

interface Way {
  readonly map: string
  readonly verdict: string
}

function leads(traffic: ServiceTraffic, frontend: Frontend, { map, verdict }: Way): Entry {
  const text = rule(words.comment(traffic.id), ':', verdict)
  return { unit: elementUnit(map, frontendKey(traffic, frontend)), text }
}

/**
 * Clients of a cluster IP on this node are pods of this node, and only such a pod can reach itself there. Pods of other nodes
 * connect to outward addresses, where policy Local keeps their source address, and may reach themselves too.
 */
function hairpins({ pools: { cluster, local }, gate }: ServiceTraffic): readonly Entry[] {
  const reachable = [...cluster, ...local].filter(endpoint => endpoint.local || gate?.policy === 'Local')
  const addresses = new Set(reachable.map(({ ip }) => ip))
  return [...addresses].map(ip => member(maps.HAIRPIN, words.concat(ip, ip)))
}

function member(set: string, key: string): Entry {
  return { unit: elementUnit(set, key), text: '' }
}
