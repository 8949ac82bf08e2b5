import type { Address } from '#values/address.ts'
import type { Lease } from '../leases/lease-book.ts'
import type { Witness } from './witness.ts'

// The pods that the API server has on this node.

export interface SeenPod {
  readonly uid: string
  /** `namespace/name`. */
  readonly pod: string
  readonly addresses: readonly Address[]
  /** Succeeded or Failed: it has given its address back, or will. */
  readonly isFinished: boolean
}

/** `pods` fails where the API server could not be asked. */
export function apiWitness(pods: () => Promise<readonly SeenPod[]>): Witness {
  let listed: Promise<readonly SeenPod[]> | undefined
  return {
    name: 'api',
    async testify(leases) {
      let seen: readonly SeenPod[]
      try {
        listed ??= pods()
        seen = (await listed).filter(({ isFinished }) => !isFinished)
      } catch {
        return leases.map(() => 'failed')
      }
      const byUid = new Set(seen.map(({ uid }) => uid))
      const byName = new Map(seen.map(pod => [pod.pod, pod]))
      return leases.map(lease => {
        // Not every container is a pod's.
        if (lease.pod === undefined && lease.uid === undefined) return 'mute'
        return (lease.uid !== undefined && byUid.has(lease.uid)) || isNamed(lease, byName) ? 'names' : 'not'
      })
    },
  }
}

/**
 * A static pod has another uid for the runtime than for the API server, so its name and address count, too. One that has no
 * address yet may be about to get this one.
 */
function isNamed({ pod, address }: Lease, byName: ReadonlyMap<string, SeenPod>): boolean {
  const found = pod === undefined ? undefined : byName.get(pod)
  return found !== undefined && (found.addresses.length === 0 || found.addresses.includes(address))
}
