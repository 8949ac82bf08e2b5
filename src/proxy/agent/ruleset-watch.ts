import { MonitorWatch } from '#proxy/sync/commits/monitor-watch.ts'
import { NetlinkWatch } from '#system/netlink/ruleset-watch.ts'
import type { Clock, Follow, RulesetWatch } from '#system/ports.ts'

// The kernel's own messages where this process may have them, `nft monitor` elsewhere (--no-experimental-ffi, another libc).

export interface RulesetWatchOptions {
  readonly clock: Clock
  /** Starts a program on the node. */
  readonly follow: Follow
  /** The node's network namespace, by path, where it is not our own. */
  readonly namespace?: string
}

export function openRulesetWatch({ clock, follow, namespace }: RulesetWatchOptions): RulesetWatch {
  const where = namespace === undefined ? {} : { namespace }
  return NetlinkWatch.open({ clock, ...where }) ?? new MonitorWatch({ clock, follow })
}
