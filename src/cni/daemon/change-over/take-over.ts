import { closeFolder, isClosed, openFolder } from '#ipam/leases/directory/closed-folder.ts'
import { networkFolders } from '#ipam/leases/directory/directory.ts'
import { type FolderLock, type ImportedNetwork, importFolder } from '#ipam/leases/directory/transfer.ts'
import type { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import type { Clock } from '#system/ports.ts'
import { COOLDOWN_MS } from '../../plugins/host-local/configuration.ts'
import { eachLocked, LOCKED, whileAllLocked } from './folder-locks.ts'
import type { knownOwners } from './known-owners.ts'

// Our plugins in the place of host-local, and its leases in our database, so that no address is given twice on the way.

export interface TakeOverParts {
  readonly book: Pick<SqliteLeaseBook, 'adopt'>
  readonly owners: ReturnType<typeof knownOwners>
  readonly clock: Clock
}

export interface TakenOver<T> {
  readonly placed: T
  /** Of each network, what was imported in all. */
  readonly networks: readonly ImportedNetwork[]
}

/**
 * Most of the work is done before anything is locked. Then host-local waits while what it gave meanwhile is imported, the
 * executables are put in place, and the folders are closed: one that was started before and waits gives no address any more. What
 * is closed already was taken over before, and what it says is old.
 */
export async function takeOver<T>(
  dataDir: string,
  place: () => Promise<T>,
  { book, owners, clock }: TakeOverParts,
): Promise<TakenOver<T>> {
  const open = networkFolders(dataDir).filter(({ folder }) => !isClosed(folder))
  const networks = new Map<string, ImportedNetwork>()
  const importAll = async (lock: FolderLock): Promise<void> => {
    for (const one of open) {
      const imported = await importFolder(one, { book, lock, cooldownMs: COOLDOWN_MS, owners })
      networks.set(one.network, joined(networks.get(one.network), imported))
    }
  }
  await importAll(eachLocked(clock))
  const folders = open.map(({ folder }) => folder)
  const placed = await whileAllLocked(folders, clock, async () => {
    await importAll(LOCKED)
    const done = await place()
    closeAll(folders)
    return done
  })
  return { placed, networks: [...networks.values()] }
}

/** All or none: what cannot be closed is as it was, and so are the executables then. */
function closeAll(folders: readonly string[]): void {
  try {
    folders.forEach(closeFolder)
  } catch (error) {
    folders.forEach(openFolder)
    throw error
  }
}

function joined(before: ImportedNetwork | undefined, { leases, ended, ...now }: ImportedNetwork): ImportedNetwork {
  if (before === undefined) return { leases, ended, ...now }
  const all = { ...now, leases: [...before.leases, ...leases], ended: [...before.ended, ...ended] }
  return { ...all, known: before.known }
}
