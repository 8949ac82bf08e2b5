import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { ipvs } from '#proxy/modes/ipvs/index.ts'
import type { IpvsSetupOptions } from '#proxy/modes/ipvs/setup.ts'
import type { Mode, Ruleset } from '#proxy/modes/mode.ts'
import { Draft } from '#proxy/sync/draft.ts'
import type { Address, Family } from '#values/address.ts'
import { DEFAULT_FLAGS, type Flags, nodeFacts } from '../../../support/flags.ts'
import { cidr, ip } from '../../../support/objects.ts'
import { unitText } from '../../../support/units.ts'

// ipvs mode as it would be on a host that has everything, for tests.

export function modeOf(family: Family, scheduler = 'rr'): Mode {
  const prefix = family === 'ipv4' ? 'iptables' : 'ip6tables'
  const tools = { family, variant: 'nft', restore: `${prefix}-restore`, save: `${prefix}-save` } as const
  return ipvs({ tools, scheduler, excludeCIDRs: [] })
}

export const SETUP: IpvsSetupOptions = {
  family: 'ipv4',
  scheduler: 'rr',
  strictARP: false,
  tcpTimeoutMs: 0,
  tcpFinTimeoutMs: 0,
  udpTimeoutMs: 0,
}

export const OWN: Readonly<Record<Family, readonly Address[]>> = {
  ipv4: ['10.99.0.2', '10.244.1.1'].map(ip),
  ipv6: ['fd00:99::2', 'fd00:244:1::1'].map(ip),
}

export const FLAGS: Flags = {
  ...DEFAULT_FLAGS,
  localPods: { by: 'cluster-cidr', cidrs: [cidr('10.244.0.0/16'), cidr('fd00:244::/32')] },
  localhostNodePorts: false,
}

export function rulesOf(objects: Iterable<ClusterObject>, family: Family = 'ipv4', mode = modeOf(family)): Ruleset {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const draft = new Draft(cluster, mode, nodeFacts({ flags: FLAGS, family, addresses: OWN[family] }))
  draft.update()
  return draft.book.rules
}

/** What these objects add to a node without Services. */
export function added(objects: Iterable<ClusterObject>, family: Family = 'ipv4', mode?: Mode): readonly string[] {
  const bare = rulesOf([], family)
  const units = [...rulesOf(objects, family, mode)].filter(([unit]) => !bare.has(unit))
  return units.map(([unit, text]) => (text === '' ? unitText(unit) : `${unitText(unit)}: ${text}`)).sort()
}
