import { CommandFailed } from '#system/must.ts'
import type { Command, Outcome } from '#system/ports.ts'
import { NOT_EXECUTABLE, NOT_FOUND } from '#system/ports.ts'

// An outcome of iptables or nft → whether the node has them at all.

/** There is no such program, or the kernel has nothing for it. */
export class BackendAbsent extends CommandFailed {}

export function failureOf(command: Command, outcome: Outcome): CommandFailed {
  return isAbsent(outcome) ? new BackendAbsent(command, outcome) : new CommandFailed(command, outcome)
}

/**
 * What was listed; undefined where it is not there, or the node can have none of it. Another failure may hide rules that are
 * there: who takes that for none, leaves them behind.
 */
export function listedBy(command: Command, outcome: Outcome): string | undefined {
  if (outcome.code === 0) return outcome.stdout
  if (isAbsent(outcome) || saysNone(command, outcome)) return undefined
  throw failureOf(command, outcome)
}

/** iptables ends with 1 for that, and with more for all else; nft with 1 for everything. */
function saysNone({ argv }: Command, { code, stderr }: Outcome): boolean {
  return code === 1 && (argv[0] !== 'nft' || stderr.includes('No such file or directory'))
}

const UNSUPPORTED = new RegExp(
  [
    "can't initialize ip6?tables|Could not fetch rule set generation id|Failed to initialize nft",
    'Protocol not supported|Unable to initialize Netlink socket',
    // Of a kernel without nf_tables.
    'cache initialization failed: (?:Invalid argument|Operation not supported)',
  ].join('|'),
)

export function isAbsent({ code, stderr }: Outcome): boolean {
  return code === NOT_FOUND || code === NOT_EXECUTABLE || UNSUPPORTED.test(stderr)
}
