import { ipvs } from '../../../src/modes/ipvs/index.ts'
import type { Mode } from '../../../src/modes/mode.ts'
import type { Family } from '../../../src/values/address.ts'

// ipvs mode as it would be on a host that has everything, for tests.

export function modeOf(family: Family, scheduler = 'rr'): Mode {
  const prefix = family === 'ipv4' ? 'iptables' : 'ip6tables'
  const tools = { family, variant: 'nft', restore: `${prefix}-restore`, save: `${prefix}-save` } as const
  return ipvs({ tools, scheduler, excludeCIDRs: [] })
}
