import type { NodeMachine } from '#cni/daemon/machine.ts'
import { onThisNode } from '#cni/daemon/rounds/by-hand.ts'
import { collected, type LeakCommandParts } from '#cni/leaks/commands.ts'
import { leakRound } from '#cni/leaks/round.ts'
import { flushedRules, repairFlushed } from '#cni/repair/repair.ts'
import type { Invocation } from '#command-line/start.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { plainFiles } from '#system/plain-files.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { NodeDifference } from '#verify/difference.ts'
import { leaseDifferences, ownerOf, ruleDifferences } from '#verify/pods/leases.ts'
import { leasesHere } from '../node/network.ts'
import { attachmentFindings, mendAttachment } from './attachments.ts'

// The leases of this node, its namespaces and the rules of its pods → what differs, and the same mended as far as may be.

export interface PodsParts {
  readonly settings: Invocation['settings']
  readonly kernel: Kernel
  readonly clock: Clock
}

export interface PodsFound {
  readonly differences: readonly NodeDifference[]
  /** What could not be looked at, a sentence each. */
  readonly failures: readonly string[]
}

/** Nothing where this node has given no addresses. */
export async function podDifferences(parts: PodsParts): Promise<PodsFound> {
  const leases = leasesOf(parts)
  if (leases === undefined) return { differences: [], failures: [] }
  return onThisNode(byHand(parts), async (leaks, machine) => {
    const round = await leakRound({ ...leaks.round, asked: 'all' })
    const attachments = await attachmentFindings({ leases, networks: machine.networks, files: plainFiles })
    const flushed = await flushedRules({ parts: machine, book: await machine.rules() })
    const podOf = (container: string): string =>
      ownerOf(leases.find(one => one.container === container) ?? { container })
    return {
      differences: [
        ...leaseDifferences(round.attachments, round.conflicts),
        ...attachments.map(({ difference }) => difference),
        ...ruleDifferences(flushed, podOf),
      ],
      failures: await failuresOf(round.failed, leaks),
    }
  })
}

const LOOKED_AT = {
  namespace: 'some network namespaces',
  runtime: "the runtime's results",
  api: 'the API server',
} as const

async function failuresOf(
  failed: readonly (keyof typeof LOOKED_AT)[],
  leaks: LeakCommandParts,
): Promise<readonly string[]> {
  const unseen = failed.map(name => {
    const why = name === 'api' ? leaks.apiFailure() : undefined
    return `${LOOKED_AT[name]} could not be asked about leases${why === undefined ? '' : ` (${why})`}`
  })
  return [...unseen, ...(await leaks.faults())]
}

/** Attachments and rules as they were made; leases where the rounds of the leak finder agree, of which this is one. */
export async function mendPods(parts: PodsParts): Promise<readonly string[]> {
  const leases = leasesOf(parts)
  if (leases === undefined) return []
  return onThisNode(byHand(parts), async (leaks, machine) => {
    const failed: string[] = []
    for (const { difference, change } of await attachmentFindings({
      leases,
      networks: machine.networks,
      files: plainFiles,
    })) {
      if (change === undefined) continue
      await mendAttachment(change, machine.networks).catch((error: Error) =>
        failed.push(`${difference.unit}: ${error.message}`),
      )
    }
    failed.push(...(await rulesMended(machine)))
    await collected(leaks, 'free')
    return failed
  })
}

async function rulesMended(machine: NodeMachine): Promise<readonly string[]> {
  const inTurn: Parameters<typeof repairFlushed>[0]['inTurn'] = (_, work) => work()
  const round = { parts: machine, book: await machine.rules(), inTurn, signal: new AbortController().signal }
  const repaired = await repairFlushed(round)
  return repaired.flatMap(({ rules, outcome, error }) =>
    outcome === 'failed' ? [`${rules.kind} of ${rules.holder.container}: ${(error as Error).message}`] : [],
  )
}

function leasesOf({ settings, clock }: PodsParts): readonly Lease[] | undefined {
  return leasesHere(settings.questions.database, clock.now())
}

/** The database that was named, and no more than that of `ipam`. */
function byHand({ settings, kernel, clock }: PodsParts): Parameters<typeof onThisNode>[0] {
  const { questions, ipam } = settings
  return { settings: { ...settings, ipam: { ...ipam, database: questions.database } }, kernel, clock }
}
