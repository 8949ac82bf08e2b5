import * as words from '#dialects/iptables.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { addBranch } from '#proxy/modes/netfilter/branches.ts'
import { ChainLines } from '#proxy/modes/netfilter/chain-lines.ts'
import { type HowRefused, refusal } from '#proxy/modes/netfilter/refusal.ts'
import { branchChain, EXTERNAL_SERVICES, NODEPORTS, PROXY_FIREWALL, SERVICES, type ServiceChains } from './names.ts'

// The frontends of a service port → its lines in the chains that all services share.

export function frontendLines(traffic: ServiceTraffic, node: NodeView, chains: ServiceChains): readonly Entry[] {
  const lines = new ChainLines()
  for (const frontend of traffic.frontends) addFrontend({ traffic, node, chains, frontend, lines })
  if (traffic.healthCheckPort !== undefined) {
    const why = words.comment(`${traffic.id} health check node port`)
    lines.add('filter', NODEPORTS, '-p tcp', why, words.dport('tcp', traffic.healthCheckPort), '-j ACCEPT')
  }
  return lines.entries
}

interface FrontendParts {
  readonly traffic: ServiceTraffic
  readonly node: NodeView
  readonly chains: ServiceChains
  readonly frontend: Frontend
  readonly lines: ChainLines
}

function addFrontend(parts: FrontendParts): void {
  const { verdict, admits } = parts.frontend
  if (admits !== 'none') admit(parts)
  if (verdict.to === 'reject') refuse(parts, 'has no endpoints', 'reject')
  // Like a missing route.
  else if (admits !== 'all') refuse(parts, 'has no local endpoints', 'drop')
}

const TITLE: Record<Frontend['kind'], string> = {
  'cluster-ip': ' cluster IP',
  'external-ip': ' external IP',
  'load-balancer': ' loadbalancer IP',
  'node-port': '',
}

const TREE = { root: SERVICES, branch: branchChain }

function admit({ traffic: { id, protocol }, node, chains, frontend, lines }: FrontendParts): void {
  const { kind, ip, port, verdict, sourceRanges } = frontend
  const why = words.comment(id + TITLE[kind])
  const inward = verdict.to === 'pool' ? chains[verdict.pool] : chains.external
  const target = sourceRanges === undefined ? inward : chains.firewall
  const match = [words.proto(protocol), why, words.dport(protocol, port), words.jump(target)]
  if (ip === undefined) lines.add('nat', NODEPORTS, ...match)
  else lines.add('nat', node.dispatch === 'tree' ? addBranch(ip, TREE, lines) : SERVICES, words.to(ip), ...match)
  if (ip !== undefined && sourceRanges !== undefined) {
    const dropped = {
      why: `${id} traffic not accepted by ${chains.firewall}`,
      how: 'drop',
      family: node.family,
    } as const
    lines.add('filter', PROXY_FIREWALL, ...refusal({ protocol }, frontend, dropped))
  }
}

function refuse({ traffic, node: { family }, frontend, lines }: FrontendParts, reason: string, how: HowRefused): void {
  const chain = frontend.kind === 'cluster-ip' ? SERVICES : EXTERNAL_SERVICES
  lines.add('filter', chain, ...refusal(traffic, frontend, { why: `${traffic.id} ${reason}`, how, family }))
}
