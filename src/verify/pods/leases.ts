import type { Address } from '#values/address.ts'
import type { NodeDifference } from '../difference.ts'

// A round of the leak finder, and rules that are gone → differences.

/** As a round has found it. */
export interface FoundLease {
  readonly leases: readonly { readonly address: Address; readonly pod?: string; readonly container: string }[]
  readonly verdict: { readonly is: string; readonly why: string }
}

export interface FoundUse {
  readonly address: Address
  readonly pod?: string
  readonly container: string
  readonly ifname: string
  readonly netns: string
  readonly leasedTo?: { readonly pod?: string; readonly container: string }
}

/** Of a lease, or one that should be: its pod, or the container. */
export function ownerOf({ pod, container }: { readonly pod?: string; readonly container: string }): string {
  return pod === undefined ? `container ${container.slice(0, 13)}` : `pod ${pod}`
}

export function leaseDifferences(
  attachments: readonly FoundLease[],
  conflicts: readonly FoundUse[],
): readonly NodeDifference[] {
  const leaked = attachments.filter(({ verdict }) => verdict.is === 'leaked' || verdict.is === 'suspect')
  return [
    ...leaked.flatMap(({ leases, verdict }) =>
      leases.map(
        (lease): NodeDifference => ({
          ...{ kind: 'extra', part: 'leases', unit: `lease ${lease.address}`, owners: [ownerOf(lease)] },
          ...{ found: [`${verdict.is}: ${verdict.why}`], wanted: [], alike: 0 },
          means: 'no pod gets this address, although none has it',
        }),
      ),
    ),
    ...conflicts.map(
      (one): NodeDifference => ({
        ...{ kind: 'missing', part: 'leases', unit: `lease ${one.address}`, owners: [ownerOf(one)] },
        ...{ found: [], wanted: [`in use on ${one.ifname} in ${one.netns}`], alike: 0 },
        means:
          one.leasedTo === undefined
            ? 'it is in use without a lease: once its namespace is out of sight, a second pod may get it'
            : `it is leased to ${ownerOf(one.leasedTo)}, too: connections to it go to one pod or the other`,
      }),
    ),
  ]
}

export interface FlushedRules {
  readonly kind: 'masquerade' | 'hostports'
  readonly holder: { readonly network: string; readonly container: string; readonly ifname: string }
  readonly wanted: string
}

export function ruleDifferences(
  flushed: readonly FlushedRules[],
  podOf: (container: string) => string,
): readonly NodeDifference[] {
  return flushed.map(({ kind, holder, wanted }): NodeDifference => {
    const owner = podOf(holder.container)
    return {
      ...{ kind: 'missing', part: 'rules of pods', unit: `${UNITS[kind]} of ${owner}`, owners: [owner] },
      ...{ found: [], wanted: [wanted], alike: 0, means: MEANS[kind] },
    }
  })
}

const UNITS = { masquerade: 'masquerade', hostports: 'host ports' } as const
const MEANS = {
  masquerade: "what it sends out of the cluster leaves with the pod's own address, and no answer finds back",
  hostports: 'connections to its host ports on this node are refused',
} as const
