import type { Witness } from './witness.ts'

// What the runtime's CNI library has kept of each ADD that it has not followed by a DEL: one file an attachment.

export interface ResultFiles {
  /** The names in a folder; undefined where there is no such folder. Fails where it could not be looked at. */
  list(folder: string): Promise<readonly string[] | undefined>
}

/** Where libcni keeps them, now and before. */
const FOLDERS = ['/var/lib/cni/results', '/var/lib/cni/cache/results']

export function runtimeWitness(files: ResultFiles, folders: readonly string[] = FOLDERS): Witness {
  let listed: Promise<ReadonlySet<string> | undefined> | undefined
  return {
    name: 'runtime',
    async testify(leases) {
      try {
        listed ??= namesIn(files, folders)
        const names = await listed
        if (names === undefined) return leases.map(() => 'mute')
        return leases.map(({ network, container, ifname }) => {
          // Imported from a directory that names no interface.
          if (ifname === '') return 'mute'
          return names.has(`${network}-${container}-${ifname}`) ? 'names' : 'not'
        })
      } catch {
        return leases.map(() => 'failed')
      }
    },
  }
}

/** Undefined where there is none of the folders. */
async function namesIn(files: ResultFiles, folders: readonly string[]): Promise<ReadonlySet<string> | undefined> {
  const listed = await Promise.all(folders.map(folder => files.list(folder)))
  const found = listed.filter(names => names !== undefined)
  return found.length === 0 ? undefined : new Set(found.flat())
}
