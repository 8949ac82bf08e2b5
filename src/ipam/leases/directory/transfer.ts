import type { Adopted, OwnerLook } from '../changes/adopt.ts'
import type { NetworkLeases } from '../lease-view.ts'
import type { SqliteLeaseBook } from '../sqlite-lease-book.ts'
import { filesOf, isClosed, lockOf, openFolder } from './closed-folder.ts'
import { makeFolders, type NetworkFolder, networkFolders, readFolder, type Written, writeFolder } from './directory.ts'

// A whole `dataDir` of host-local ⇄ the database, network by network, each while host-local cannot write.

/** Does the work while no other process has the lock of that file. */
export type FolderLock = <T>(path: string, work: () => Promise<T>) => Promise<T>

export interface ImportedNetwork extends Adopted {
  readonly network: string
  readonly problems: readonly string[]
}

export interface ExportedNetwork extends Written {
  readonly network: string
}

export interface ImportParts {
  readonly book: Pick<SqliteLeaseBook, 'adopt'>
  readonly lock: FolderLock
  readonly cooldownMs: number
  readonly owners?: (network: string) => Promise<OwnerLook>
}

export async function importFolders(dataDir: string, parts: ImportParts): Promise<readonly ImportedNetwork[]> {
  const done: ImportedNetwork[] = []
  for (const found of networkFolders(dataDir)) {
    if (isClosed(found.folder)) throw new Error(`${found.folder} is old: its leases are in a database by now`)
    done.push(await importFolder(found, parts))
  }
  return done
}

export function importFolder(
  { network, folder }: NetworkFolder,
  { book, lock, cooldownMs, owners }: ImportParts,
): Promise<ImportedNetwork> {
  return lock(lockOf(folder), async () => {
    const content = readFolder(folder)
    const ownerOf = await owners?.(network)
    const adoption = { network, content, cooldownMs, ...(ownerOf !== undefined && { ownerOf }) }
    return { ...(await book.adopt(adoption)), network, problems: content.problems }
  })
}

export async function exportFolders(
  dataDir: string,
  networks: readonly NetworkLeases[],
  lock: FolderLock,
): Promise<readonly ExportedNetwork[]> {
  const done: ExportedNetwork[] = []
  const folders = makeFolders(
    dataDir,
    networks.map(({ network }) => network),
  )
  for (const [i, network] of networks.entries()) {
    const folder = folders[i]!
    const exported = await lock(lockOf(folder), async () => {
      const written = writeFolder(filesOf(folder), network)
      openFolder(folder)
      return { network: network.network, ...written }
    })
    done.push(exported)
  }
  return done
}
