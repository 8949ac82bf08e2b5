import { NetworkRefused, type Networks } from '#system/network/network.ts'
import type { Address } from '#values/address.ts'
import type { Holder, Lease } from '../leases/lease-book.ts'
import type { Testimony } from './verdict.ts'
import type { Witness } from './witness.ts'

// The network namespace of a pod, and the address on one of its interfaces.

export interface NamespaceWitnessParts {
  readonly networks: Networks
  readonly files: SeenNamespaces
}

export interface SeenNamespaces {
  /** Undefined where nothing is at the path. Fails where it could not be looked at. */
  namespaceId(path: string): Promise<string | undefined>
  /** Whether what this process finds at a path is what the node has there: false inside a container that sees only a part. */
  seesAll(path: string): Promise<boolean>
}

/** The addresses in a namespace; or that nothing is at its path any longer, or that it could not be looked at. */
export type SeenAddresses = ReadonlySet<Address> | 'gone' | 'failed'

/** At the path, if that namespace is still there. */
export type NamespaceLook = (path: string, namespaceId: string | undefined) => Promise<SeenAddresses>

/**
 * Each is looked at once, and a few at a time: each that is open is a descriptor and a socket. What is `live` is known, and what is
 * found alive is added to it, for other looks of the same round.
 */
export function namespaceLook(
  { networks, files }: NamespaceWitnessParts,
  live = new Map<string, ReadonlySet<Address>>(),
): NamespaceLook {
  const seen = new Map<string, Promise<SeenAddresses>>()
  const seesAll = onceForEachFolder(path => files.seesAll(path))
  const waiting = new Array<Promise<unknown>>(AT_ONCE).fill(Promise.resolve())
  const look: NamespaceLook = async (path, namespaceId) => {
    /** No path of the node is gone because a container cannot see it, and none is another namespace there. */
    const gone = async (): Promise<SeenAddresses> => ((await seesAll(path)) ? 'gone' : 'failed')
    try {
      const there = await files.namespaceId(path)
      if (there === undefined) return await gone()
      // The path leads to the namespace of another container by now.
      if (namespaceId !== undefined && there !== namespaceId) return await gone()
      if (namespaceId === undefined && !(await seesAll(path))) return 'failed'
      return await addressesIn(networks, path)
    } catch (error) {
      // It went while it was looked at, or is a file that a restart left behind.
      const isGone = error instanceof NetworkRefused && (error.code === 'ENOENT' || error.code === 'EINVAL')
      return isGone ? gone().catch(() => 'failed') : 'failed'
    }
  }
  return (path, namespaceId) => {
    const key = `${path} ${namespaceId}`
    const alive = live.get(key)
    if (alive !== undefined) return Promise.resolve(alive)
    const known = seen.get(key)
    if (known !== undefined) return known
    const turn = seen.size % AT_ONCE
    const looked = waiting[turn]!.then(async () => {
      const there = await look(path, namespaceId)
      if (typeof there === 'object') live.set(key, there)
      return there
    })
    waiting[turn] = looked
    seen.set(key, looked)
    return looked
  }
}

const AT_ONCE = 32

/** A node that has started anew may have thousands of leases of namespaces that are gone, all in one folder. */
function onceForEachFolder(ask: (path: string) => Promise<boolean>): (path: string) => Promise<boolean> {
  const known = new Map<string, Promise<boolean>>()
  return path => {
    const folder = path.startsWith('/proc/') ? '/proc' : path.slice(0, path.lastIndexOf('/'))
    const answer = known.get(folder) ?? ask(path)
    known.set(folder, answer)
    return answer
  }
}

export interface NamespaceWitnessOptions {
  readonly look: NamespaceLook
  /**
   * Which holders have an interface on the node whose other end is in their pod. A namespace whose path is gone lives on as
   * long as a process is in it, and so does the address; and gVisor takes the address off the interface, to use it itself.
   */
  readonly portOwners: () => Promise<(holder: Holder) => boolean>
}

export function namespaceWitness({ look, portOwners }: NamespaceWitnessOptions): Witness {
  let asked: Promise<((holder: Holder) => boolean) | 'failed'> | undefined
  const owners = () => {
    asked ??= portOwners().catch(() => 'failed')
    return asked
  }
  return {
    name: 'namespace',
    async testify(leases) {
      const seen = await Promise.all(
        leases.map(async lease =>
          lease.netns ? testimony(await look(lease.netns, lease.namespaceId), lease) : 'mute',
        ),
      )
      // Asked last: a pair of interfaces that is there now was there when its path was looked at.
      const hasPort = seen.includes('not') ? await owners() : undefined
      return leases.map((lease, i): Testimony => {
        if (seen[i] !== 'not') return seen[i]!
        return hasPort === 'failed' ? 'failed' : hasPort?.(lease) ? 'names' : 'not'
      })
    },
  }
}

async function addressesIn(networks: Networks, path: string): Promise<ReadonlySet<Address>> {
  const pod = await networks.open(path)
  try {
    return new Set((await pod.addresses()).map(({ address }) => address))
  } finally {
    pod.close()
  }
}

function testimony(seen: SeenAddresses, { address }: Lease): Testimony {
  if (seen === 'failed') return 'failed'
  return seen !== 'gone' && seen.has(address) ? 'names' : 'not'
}
