import { type UserspaceOptions, userspace } from '#proxy/modes/userspace/index.ts'
import type { Family } from '#values/address.ts'

// The mode as it is on a host with iptables-nft.

export const TOOLS = {
  ipv4: { family: 'ipv4', variant: 'nft', restore: 'iptables-restore', save: 'iptables-save' },
  ipv6: { family: 'ipv6', variant: 'nft', restore: 'ip6tables-restore', save: 'ip6tables-save' },
} as const

export function userspaceIn(family: Family, options: Omit<UserspaceOptions, 'tools'> = {}) {
  return userspace({ tools: TOOLS[family], ...options })
}
