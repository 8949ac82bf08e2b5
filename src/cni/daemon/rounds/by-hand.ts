import type { Settings } from '#config/settings.ts'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'
import { LEAK_LIMITS } from '#ipam/witnesses/verdict.ts'
import type { Credentials } from '#kubernetes/access/credentials.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import { checked, collected, type LeakCommandAnswer, type LeakCommandParts } from '../../leaks/commands.ts'
import { type ReleaseTarget, releasedByHand } from '../../leaks/release.ts'
import { type NodeMachine, nodeMachine } from '../machine.ts'
import { type ApiSettings, nodeApi } from './node-api.ts'
import { type NodeWitnesses, nodeWitnesses } from './node-witnesses.ts'

// `ipam gc`, `ipam check` and `ipam release` on this node, with or without a daemon beside them.

export interface ByHandParts {
  readonly settings: ApiSettings & Pick<Settings, 'ipam'>
  readonly kernel: Kernel
  readonly clock: Clock
  /** Of the API server, where the settings name none. */
  readonly credentials?: Credentials
}

export function leaksByHand(does: 'gc' | 'check', by: ByHandParts): Promise<LeakCommandAnswer> {
  const { free, output } = by.settings.ipam
  const form = output === 'json' ? { output } : {}
  return onThisNode(by, async parts => {
    const asked = { ...parts, ...form }
    return does === 'check' ? checked(asked) : collected(asked, free ? 'free' : 'print')
  })
}

/** `ipam release`. */
export function releaseByHand(target: ReleaseTarget, by: ByHandParts): Promise<LeakCommandAnswer> {
  const releases = by.settings.ipam.force ? 'any' : 'unused'
  return onThisNode(by, parts => releasedByHand({ target, releases }, parts))
}

/** With all that is needed for a round, for as long as the work goes on. */
export async function onThisNode<T>(
  { settings, kernel, clock, credentials }: ByHandParts,
  work: (parts: LeakCommandParts, machine: NodeMachine) => Promise<T>,
): Promise<T> {
  const { database } = settings.ipam
  const machine = nodeMachine({ kernel, clock, database })
  const api = await nodeApi({ settings, kernel, clock, ...(credentials !== undefined && { credentials }) })
  const witnesses = nodeWitnesses({ api, clock, networks: machine.networks })
  try {
    return await work(await commandParts(machine, witnesses, clock), machine)
  } finally {
    await machine.idle()
    machine.close()
    await api?.close()
  }
}

async function commandParts(machine: NodeMachine, witnesses: NodeWitnesses, clock: Clock): Promise<LeakCommandParts> {
  const { networks, files } = machine
  const [book, dhcp] = [await machine.leaks(), await machine.dhcpLeases()]
  return {
    round: { book, dhcp, networks, files, clock, witnesses: witnesses.of, limits: LEAK_LIMITS },
    takeBack: { ...machine, book },
    faults: async () => faultsIn(machine),
    apiFailure: witnesses.apiFailure,
  }
}

/** Damage is what `check` looks for; anything else keeps it from looking. */
async function faultsIn(machine: NodeMachine): Promise<readonly string[]> {
  const book = await machine.leases()
  try {
    book.verify()
    return []
  } catch (error) {
    if (error instanceof LeaseStoreFailed && error.fault === 'damaged') return [`${error.message}; ${error.details}`]
    throw error
  }
}
