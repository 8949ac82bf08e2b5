import * as words from '#dialects/iptables.ts'
import { rule } from '#dialects/words.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Entry } from '#proxy/modes/mode.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import { prefixOf } from '#values/cidr.ts'
import {
  branchChain,
  chainUnit,
  EXTERNAL_SERVICES,
  NODEPORTS,
  PROXY_FIREWALL,
  SERVICES,
  type ServiceChains,
  type Table,
} from './names.ts'

// The frontends of a service port → its lines in the chains that all services share.

export function frontendLines(traffic: ServiceTraffic, node: NodeView, chains: ServiceChains): readonly Entry[] {
  const lines = new Map<string, string[]>()
  const add = (table: Table, chain: string, ...rest: readonly (string | false | undefined)[]): void => {
    const unit = chainUnit(table, chain)
    const line = rule('-A', chain, ...rest)
    const known = lines.get(unit) ?? []
    if (!known.includes(line)) lines.set(unit, [...known, line])
  }
  for (const frontend of traffic.frontends) addFrontend({ traffic, node, chains, frontend, add })
  if (traffic.healthCheckPort !== undefined) {
    const why = words.comment(`${traffic.id} health check node port`)
    add('filter', NODEPORTS, '-p tcp', why, words.dport('tcp', traffic.healthCheckPort), '-j ACCEPT')
  }
  return [...lines].map(([unit, text]) => ({ unit, text: text.join('\n'), shared: true }))
}

interface FrontendParts {
  readonly traffic: ServiceTraffic
  readonly node: NodeView
  readonly chains: ServiceChains
  readonly frontend: Frontend
  readonly add: (table: Table, chain: string, ...rest: readonly (string | false | undefined)[]) => void
}

function addFrontend(parts: FrontendParts): void {
  const { verdict } = parts.frontend
  const { gate } = parts.traffic
  if (verdict.to === 'pool' || verdict.to === 'gate') admit(parts)
  if (verdict.to === 'reject') refuse(parts, 'has no endpoints')
  const lacksLocal = verdict.to === 'gate' && gate?.policy === 'Local' && gate.others === 'drop'
  if (verdict.to === 'drop' || lacksLocal) refuse(parts, 'has no local endpoints')
}

const TITLE: Record<Frontend['kind'], string> = {
  'cluster-ip': ' cluster IP',
  'external-ip': ' external IP',
  'load-balancer': ' loadbalancer IP',
  'node-port': '',
}

function admit({ traffic: { id, protocol }, node, chains, frontend, add }: FrontendParts): void {
  const { kind, ip, port, verdict, sourceRanges } = frontend
  const why = words.comment(id + TITLE[kind])
  const inward = verdict.to === 'pool' ? chains[verdict.pool] : chains.external
  const target = sourceRanges === undefined ? inward : chains.firewall
  const match = [words.proto(protocol), why, words.dport(protocol, port), words.jump(target)]
  if (ip === undefined) add('nat', NODEPORTS, ...match)
  else add('nat', node.dispatch === 'tree' ? addBranch(ip, add) : SERVICES, words.to(ip), ...match)
  if (ip !== undefined && sourceRanges !== undefined) {
    const dropped = words.comment(`${id} traffic not accepted by ${chains.firewall}`)
    add('filter', PROXY_FIREWALL, words.to(ip), words.proto(protocol), dropped, words.dport(protocol, port), '-j DROP')
  }
}

/**
 * Adds the jumps from KUBE-SERVICES down to an address's branch, and returns the last chain. A packet is compared with
 * a few dozen rules instead of all; where none matches, it returns and goes on to the node ports.
 */
function addBranch(ip: Address, add: FrontendParts['add']): string {
  return BRANCHES[familyOf(ip)].reduce((chain, bits, i) => {
    const prefix = prefixOf(ip, bits)
    const branch = branchChain(prefix, i + 1)
    add('nat', chain, '-d', prefix, words.jump(branch))
    return branch
  }, SERVICES)
}

/** Service ranges are /12 to /24, and /108 to /120: each step divides the remaining addresses by 16 or so. */
const BRANCHES: Readonly<Record<Family, readonly number[]>> = { ipv4: [16, 20, 24], ipv6: [112, 116, 120] }

/**
 * Without endpoints the client is rejected at once; with endpoints, but none where policy allows, dropped like a
 * missing route.
 */
function refuse(
  { traffic: { id, protocol }, node, frontend, add }: FrontendParts,
  reason: 'has no endpoints' | 'has no local endpoints',
): void {
  const { kind, ip, port } = frontend
  const why = words.comment(`${id} ${reason}`)
  const end = reason === 'has no endpoints' ? words.reject(node.family) : '-j DROP'
  const chain = kind === 'cluster-ip' ? SERVICES : EXTERNAL_SERVICES
  if (ip !== undefined) add('filter', chain, words.to(ip), words.proto(protocol), why, words.dport(protocol, port), end)
  else
    add('filter', chain, words.proto(protocol), why, '-m addrtype --dst-type LOCAL', words.dport(protocol, port), end)
}
