import { checkLines, FAMILY_WORDS, listTablesAsJson } from '#dialects/nft.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Endpoint, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Command } from '#system/ports.ts'
import { type Family, parseAddress } from '#values/address.ts'
import { parseCidr } from '#values/cidr.ts'
import { parseObjectName } from '#values/names.ts'
import { PROTOCOLS, type Protocol } from '#values/protocol.ts'
import { base } from './base.ts'
import { TABLE } from './names.ts'
import { service } from './service/service.ts'
import { transaction } from './write.ts'

// A family → commands that change nothing and fail where nft or the kernel lacks what this mode needs, checked with a table
// that has every kind of rule.

export function trials(family: Family): readonly Command[] {
  const { ip } = FAMILY_WORDS[family]
  const view = viewOf(family)
  const services = PROTOCOLS.flatMap(protocol => [plain(family, protocol), guarded(family, protocol)])
  const entries = [...base(view), ...services.flatMap(traffic => service(traffic, view))]
  const plan = {
    add: new Map(entries.map(({ unit, text }) => [unit, text])),
    change: new Map(),
    before: new Map(),
    remove: new Set<never>(),
  }
  // Under another name than our own table, which may be there in another shape.
  const lines = transaction(plan, { family, chainRemoval: 'at-once' }, `${ip} ${TABLE}-trial`)
  return [
    // JSON may be left out when nft is built.
    listTablesAsJson(family),
    checkLines(lines, family),
  ]
}

/** Of the ranges for documentation. */
const WORDS = {
  ipv4: { at: (n: number) => parseAddress(`192.0.2.${n}`)!, range: parseCidr('192.0.2.0/24')! },
  ipv6: { at: (n: number) => parseAddress(`2001:db8::${n}`)!, range: parseCidr('2001:db8::/32')! },
} as const

function viewOf(family: Family): NodeView {
  return {
    family,
    mark: 0x4000,
    localPods: { by: 'interface-prefix', prefix: 'trial' },
    nodePortAddresses: 'all',
    masquerade: 'from-outside',
    serviceRanges: [WORDS[family].range],
    reachable: [],
  }
}

/** Served by maps. */
function plain(family: Family, protocol: Protocol): ServiceTraffic {
  const { at } = WORDS[family]
  return {
    ...trial(family, protocol, 'plain'),
    frontends: [
      { kind: 'cluster-ip', ip: at(1), port: 1, verdict: { to: 'pool', pool: 'cluster' }, admits: 'all' },
      { kind: 'external-ip', ip: at(2), port: 1, verdict: { to: 'reject' }, admits: 'none' },
      { kind: 'node-port', port: 1, verdict: { to: 'gate' }, admits: 'all' },
    ],
    gate: { policy: 'Cluster' },
  }
}

/** With everything that takes chains. */
function guarded(family: Family, protocol: Protocol): ServiceTraffic {
  const { at, range } = WORDS[family]
  return {
    ...trial(family, protocol, 'guarded'),
    frontends: [
      { kind: 'cluster-ip', ip: at(3), port: 1, verdict: { to: 'pool', pool: 'cluster' }, admits: 'all' },
      { kind: 'load-balancer', ip: at(4), port: 1, verdict: { to: 'gate' }, admits: 'all', sourceRanges: [range] },
    ],
    gate: { policy: 'Local', others: 'local' },
    stickySeconds: 1,
  }
}

function trial(family: Family, protocol: Protocol, name: string): Omit<ServiceTraffic, 'frontends'> {
  const ip = WORDS[family].at(5)
  const endpoints: readonly Endpoint[] = [{ ip, port: 1, text: `${ip}:1`, local: true }]
  return {
    id: `trial/${name}`,
    service: parseObjectName('trial', name)!,
    protocol,
    pools: { cluster: endpoints, local: endpoints },
    masquerade: 'from-outside',
  }
}
