import * as words from '#dialects/iptables.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, PoolName, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { localPodsMatch } from '#proxy/modes/netfilter/local-pods.ts'
import { chainUnit } from '#proxy/modes/netfilter/units.ts'
import { frontendLines } from './frontends.ts'
import { MARK_MASQ, type ServiceChains, serviceChains } from './names.ts'

// One service port → its own chains: the choice of an endpoint, the DNAT to it, and the gate for external frontends.

export function service(traffic: ServiceTraffic, node: NodeView): readonly Entry[] {
  const chains = serviceChains(traffic)
  const { cluster, local } = traffic.pools
  const all = local.length === 0 ? cluster : union(cluster, local)
  const targets = new Map(all.map(endpoint => [endpoint.text, { endpoint, chain: chains.endpoint(endpoint) }]))
  const poolNames = (['cluster', 'local'] as const).filter(pool => traffic.pools[pool].length > 0)
  return [
    ...[...targets.values()].map(target => endpointChain(traffic, node, target)),
    ...poolNames.map(pool => {
      const picked = traffic.pools[pool].map(({ text }) => targets.get(text)!)
      return poolChain({ traffic, node, pool, chain: chains[pool], targets: picked })
    }),
    ...(traffic.gate === undefined ? [] : [gateChain(traffic, node, chains)]),
    ...firewall(traffic, chains),
    ...frontendLines(traffic, node, chains),
  ]
}

interface Target {
  readonly endpoint: Endpoint
  readonly chain: string
}

interface PoolChainParts {
  readonly traffic: ServiceTraffic
  readonly node: NodeView
  readonly pool: PoolName
  readonly chain: string
  readonly targets: readonly Target[]
}

/** With session affinity a known client returns to its endpoint; all others are spread evenly. */
function poolChain({ traffic, node, pool, chain, targets }: PoolChainParts): Entry {
  const { id, stickySeconds } = traffic
  const note = ({ endpoint }: Target): string | false =>
    node.endpointComments === true && words.comment(`${id} -> ${endpoint.text}`)
  const lines: string[] = masqueradeAtClusterIP(traffic, node, { pool, chain })
  if (stickySeconds !== undefined) {
    for (const target of targets) {
      const seen = words.recentlySeen(target.chain, stickySeconds, node.family)
      lines.push(rule('-A', chain, note(target), seen, words.jump(target.chain)))
    }
  }
  targets.forEach((target, i) => {
    const left = targets.length - i
    lines.push(rule('-A', chain, note(target), left > 1 && words.oneIn(left), words.jump(target.chain)))
  })
  return { unit: chainUnit('nat', chain), text: lines.join('\n') }
}

/** In the chain that the cluster IP leads to; matches only packets with the cluster IP as destination. */
function masqueradeAtClusterIP(
  { id, protocol, frontends, masquerade }: ServiceTraffic,
  node: NodeView,
  { pool, chain }: Pick<PoolChainParts, 'pool' | 'chain'>,
): string[] {
  if (masquerade === 'never') return []
  const clusterIP = frontends.find(({ kind }) => kind === 'cluster-ip')
  if (clusterIP?.verdict.to !== 'pool' || clusterIP.verdict.pool !== pool) return []
  const outside = masquerade === 'from-outside' ? localPodsMatch(node, 'not') : {}
  return [
    rule(
      '-A',
      chain,
      outside.source,
      words.to(clusterIP.ip!),
      outside.iface,
      words.proto(protocol),
      words.comment(`${id} cluster IP`),
      words.dport(protocol, clusterIP.port),
      words.jump(MARK_MASQ),
    ),
  ]
}

/**
 * A pod that reaches itself through the Service is masqueraded: otherwise its reply would go straight back, and TCP
 * rejects it.
 */
function endpointChain(
  { id, protocol, stickySeconds }: ServiceTraffic,
  node: NodeView,
  { endpoint, chain }: Target,
): Entry {
  const note = node.endpointComments === true && words.comment(id)
  const text = [
    rule('-A', chain, words.from(endpoint.ip), note, words.jump(MARK_MASQ)),
    rule(
      '-A',
      chain,
      words.proto(protocol),
      note,
      stickySeconds !== undefined && words.remember(chain, node.family),
      `-m ${protocol} -j DNAT --to-destination`,
      endpoint.text,
    ),
  ]
  return { unit: chainUnit('nat', chain), text: text.join('\n') }
}

function gateChain({ id, gate }: ServiceTraffic, node: NodeView, { external, cluster, local }: ServiceChains): Entry {
  const unit = chainUnit('nat', external)
  if (gate?.policy !== 'Local') {
    const why = words.comment(`masquerade traffic for ${id} external destinations`)
    return {
      unit,
      text: [rule('-A', external, why, words.jump(MARK_MASQ)), rule('-A', external, words.jump(cluster))].join('\n'),
    }
  }
  const { source, iface } = localPodsMatch(node, 'is')
  const fromNode = '-m addrtype --src-type LOCAL'
  const lines = [
    node.localPods !== undefined &&
      rule(
        '-A',
        external,
        source,
        iface,
        words.comment(`pod traffic for ${id} external destinations`),
        words.jump(cluster),
      ),
    rule(
      '-A',
      external,
      words.comment(`masquerade LOCAL traffic for ${id} external destinations`),
      fromNode,
      words.jump(MARK_MASQ),
    ),
    rule(
      '-A',
      external,
      words.comment(`route LOCAL traffic for ${id} external destinations`),
      fromNode,
      words.jump(cluster),
    ),
    gate.others === 'local' && rule('-A', external, words.jump(local)),
  ]
  return { unit, text: lines.filter(line => line !== false).join('\n') }
}

/**
 * Only for load balancer addresses with source ranges: a source in a range goes on to the gate; all others meet a DROP
 * in filter.
 */
function firewall({ id, frontends, gate }: ServiceTraffic, { firewall, external }: ServiceChains): readonly Entry[] {
  const { sourceRanges, sourceAddresses = [] } = frontends.find(frontend => frontend.sourceRanges !== undefined) ?? {}
  if (gate === undefined || sourceRanges === undefined) return []
  const why = words.comment(`${id} loadbalancer IP`)
  const lines = [
    ...sourceRanges.map(range => rule('-A', firewall, '-s', range, why, words.jump(external))),
    ...sourceAddresses.map(ip => rule('-A', firewall, words.from(ip), why, words.jump(external))),
    rule('-A', firewall, words.comment(`other traffic to ${id} will be dropped by KUBE-PROXY-FIREWALL`)),
  ]
  return [{ unit: chainUnit('nat', firewall), text: lines.join('\n') }]
}

function union(cluster: readonly Endpoint[], local: readonly Endpoint[]): readonly Endpoint[] {
  const known = new Set(cluster.map(({ text }) => text))
  return [...cluster, ...local.filter(({ text }) => !known.has(text))]
}
