import { IPTABLES } from './iptables/index.ts'
import { IPVS } from './ipvs/index.ts'
import type { ModeTraits } from './mode.ts'
import { NFTABLES } from './nftables/index.ts'
import { USERSPACE } from './userspace/index.ts'

// The modes that settings can name → what is known of each without the tools of a host.

const ALL = [USERSPACE, IPTABLES, IPVS, NFTABLES] as const

export type ChosenMode = (typeof ALL)[number]['name']

export function traitsOf(mode: ChosenMode): ModeTraits {
  return ALL.find(({ name }) => name === mode)!
}
