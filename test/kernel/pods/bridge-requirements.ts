import { existsSync } from 'node:fs'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import { cannotRun } from '../namespace.ts'

/** Why tests beside Debian's plugins cannot run here; undefined where they can. */
export async function ensured(): Promise<string | undefined> {
  const why = cannotRun('iptables', 'nft', 'bridge')
  if (why !== undefined) return why
  if (netlinkNetworks() === undefined) return 'this Node has no FFI'
  return existsSync('/usr/lib/cni/bridge') ? undefined : 'containernetworking-plugins are not installed'
}
