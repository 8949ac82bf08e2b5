import * as words from '#dialects/nft.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import * as maps from '#proxy/modes/nftables/maps.ts'
import { elementUnit, ownNames, REJECT } from '#proxy/modes/nftables/names.ts'
import { balance, doorKey } from './balance.ts'
import { firewall } from './firewall.ts'
import { ownChains, ownWay } from './own.ts'

// One service port → the elements that open its doors. Chains of its own has only what maps cannot say.

export function service(traffic: ServiceTraffic, node: NodeView): readonly Entry[] {
  const { frontends } = traffic
  const open = frontends.filter(({ verdict }) => verdict.to === 'pool' || verdict.to === 'gate')
  const shut = frontends.filter(frontend => deadEnd(traffic, frontend) !== undefined)
  return [
    ...onePerDoor(traffic, open).flatMap(frontend => opening(traffic, node, frontend)),
    ...onePerDoor(traffic, shut).map(frontend => refusal(traffic, frontend)),
    ...frontends.filter(({ sourceRanges }) => sourceRanges !== undefined).map(frontend => guard(traffic, frontend)),
    ...frontends.filter(({ kind }) => kind === 'cluster-ip').map(({ ip }) => member(maps.CLUSTER_IPS, ip!)),
    ...hairpins(traffic),
    ...ownChains(traffic, node),
    ...firewall(traffic, node),
  ]
}

/** One address may be several things to a service; a map has one answer, and that is the first that leads somewhere. */
function onePerDoor(traffic: ServiceTraffic, frontends: readonly Frontend[]): readonly Frontend[] {
  const keys = frontends.map(frontend => doorKey(traffic, frontend))
  return frontends.filter((_, i) => keys.indexOf(keys[i]!) === i)
}

function opening(traffic: ServiceTraffic, node: NodeView, frontend: Frontend): readonly Entry[] {
  const map = frontend.ip === undefined ? maps.SERVICE_NODEPORTS : maps.SERVICE_IPS
  const own = ownWay(traffic, frontend.verdict)
  if (own !== undefined) return [leads(traffic, frontend, { map, verdict: `goto ${own}` })]
  const { chain, entries } = balance(traffic, node, frontend)
  return [leads(traffic, frontend, { map, verdict: `goto ${chain}` }), ...entries]
}

function refusal(traffic: ServiceTraffic, frontend: Frontend): Entry {
  const map = frontend.ip === undefined ? maps.NO_ENDPOINT_NODEPORTS : maps.NO_ENDPOINT_SERVICES
  return leads(traffic, frontend, { map, verdict: deadEnd(traffic, frontend)! })
}

/**
 * What is said to those who were led nowhere. Nobody anywhere is refused at once; somebody, but not where policy
 * allows, is dropped as a missing route would be. A gate that lets only pods and the node through needs it as well.
 */
function deadEnd({ gate }: ServiceTraffic, { verdict }: Frontend): string | undefined {
  if (verdict.to === 'reject') return `goto ${REJECT}`
  const insidersOnly = verdict.to === 'gate' && gate?.policy === 'Local' && gate.others === 'drop'
  return verdict.to === 'drop' || insidersOnly ? 'drop' : undefined
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
  return { unit: elementUnit(map, doorKey(traffic, frontend)), text }
}

/**
 * Whoever comes to a cluster IP here is a pod of this node, and only such a pod can find itself there. Pods of other
 * nodes come to outward addresses, where policy Local leaves them their own address, and may find themselves too.
 */
function hairpins({ pools: { cluster, local }, gate }: ServiceTraffic): readonly Entry[] {
  const reachable = [...cluster, ...local].filter(endpoint => endpoint.local || gate?.policy === 'Local')
  const addresses = new Set(reachable.map(({ ip }) => ip))
  return [...addresses].map(ip => member(maps.HAIRPIN, words.concat(ip, ip)))
}

function member(set: string, key: string): Entry {
  return { unit: elementUnit(set, key), text: '' }
}
