import { WITNESSES } from '#ipam/witnesses/verdict.ts'
import type { LeakRound } from './round.ts'
import type { TakenBack } from './take-back.ts'

// A round, and what was taken back after it → JSON for programs, with every attachment and what each witness said of it.

export interface LeakJsonParts extends LeakRound {
  readonly takenBack?: readonly TakenBack[]
  /** What is wrong with the database itself. */
  readonly faults?: readonly string[]
}

export function leakJson({ attachments, conflicts, failed, takenBack = [], faults = [] }: LeakJsonParts): string {
  const became = new Map(takenBack.map(one => [one.attachment, one]))
  return JSON.stringify(
    {
      attachments: attachments.map(one => {
        const { holder, leases, verdict, testimonies } = one
        const taken = became.get(one)
        return {
          ...{ pod: leases[0]?.pod, container: holder.container, ifname: holder.ifname, network: leases[0]?.network },
          addresses: leases.map(({ address }) => address),
          ...{ verdict: verdict.is, why: verdict.why },
          witnesses: Object.fromEntries(WITNESSES.map(name => [name, testimonies[name]])),
          ...(taken && { outcome: taken.outcome, ...(taken.error !== undefined && { error: messageOf(taken.error) }) }),
        }
      }),
      conflicts: conflicts.map(({ address, pod, container, ifname, netns, leasedTo }) => ({
        ...{ address, pod, container, ifname, netns },
        leasedTo: leasedTo && (leasedTo.pod ?? leasedTo.container),
      })),
      ...{ notAsked: failed, faults },
    },
    undefined,
    2,
  )
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
