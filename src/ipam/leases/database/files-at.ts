import { statSync } from 'node:fs'

// The files of a database → whether they are still the ones that a connection has open. SQLite does not look: it would go on
// with files that no other process sees, and the other with ones that lack the latest leases.

/** The database, its journal, and the memory that processes share. */
const ENDINGS = ['', '-wal', '-shm'] as const

/** Inode numbers in that order. One that is open is given to no other file. */
export type FilesAt = readonly (bigint | undefined)[]

export function filesAt(path: string): FilesAt {
  return ENDINGS.map(ending => statSync(`${path}${ending}`, { bigint: true, throwIfNoEntry: false })?.ino)
}

/** `gone`: some are no longer there, and no other is in their place. */
export function compareFiles(open: FilesAt, now: FilesAt): 'same' | 'gone' | 'replaced' {
  if (open.some((inode, i) => now[i] !== undefined && now[i] !== inode)) return 'replaced'
  return open.every((inode, i) => now[i] === inode) ? 'same' : 'gone'
}
