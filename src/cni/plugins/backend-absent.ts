import { CommandFailed } from '#system/must.ts'
import type { Command, Outcome } from '#system/ports.ts'
import { NOT_EXECUTABLE, NOT_FOUND } from '#system/ports.ts'

// An outcome of iptables or nft → whether the node has them at all.

/** There is no such program, or the kernel has nothing for it. */
export class BackendAbsent extends CommandFailed {}

export function failureOf(command: Command, outcome: Outcome): CommandFailed {
  return isAbsent(outcome) ? new BackendAbsent(command, outcome) : new CommandFailed(command, outcome)
}

const UNSUPPORTED =
  /can't initialize ip6?tables|Could not fetch rule set generation id|Protocol not supported|Unable to initialize Netlink socket|Failed to initialize nft/

export function isAbsent({ code, stderr }: Outcome): boolean {
  return code === NOT_FOUND || code === NOT_EXECUTABLE || UNSUPPORTED.test(stderr)
}
