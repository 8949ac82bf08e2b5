import { lockOf } from '#ipam/leases/directory/closed-folder.ts'
import type { FolderLock } from '#ipam/leases/directory/transfer.ts'
import { whileLocked } from '#system/file-lock.ts'
import type { Clock } from '#system/ports.ts'

// Host-local's locks of several networks → one: meanwhile no host-local gives or frees an address in any of them.

/** They are taken in the order of their names, as every process of ours takes them. */
export async function whileAllLocked<T>(folders: readonly string[], clock: Clock, work: () => Promise<T>): Promise<T> {
  const [first, ...others] = folders.toSorted()
  if (first === undefined) return work()
  return whileLocked(lockOf(first), clock, () => whileAllLocked(others, clock, work))
}

/** Where all of them are locked by this process already. */
export const LOCKED: FolderLock = (_, work) => work()

export function eachLocked(clock: Clock): FolderLock {
  return (path, work) => whileLocked(path, clock, work)
}
