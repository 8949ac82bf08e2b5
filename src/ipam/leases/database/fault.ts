import { dirname } from 'node:path'
import { LeaseStoreFailed, type StoreFault } from '../store-failed.ts'

// An error of SQLite, or of a file system → what is wrong with the database, and what an operator can do about it.

interface Cause {
  readonly fault: StoreFault
  readonly says: (path: string, reason: string) => string
  readonly help: (path: string) => string
}

export function removal(path: string): string {
  return `no address is given while it is not known which are held: drain this node, stop what uses the database, and remove ${path}, ${path}-wal and ${path}-shm; leases then begin anew`
}

const DAMAGED: Cause = {
  fault: 'damaged',
  says: (path, reason) => `the lease database ${path} is damaged: ${reason}`,
  help: removal,
}
const FULL: Cause = {
  fault: 'full',
  says: path => `the lease database ${path} cannot be written: the disk is full`,
  help: path => `make room on its file system (df ${dirname(path)}); what is leased stays leased`,
}
const READ_ONLY: Cause = {
  fault: 'read-only',
  says: (path, reason) => `the lease database ${path} cannot be written: ${reason}`,
  help: path =>
    `it must be writable for root, on a file system mounted read-write (ls -l ${path}; findmnt -T ${dirname(path)})`,
}
const FORBIDDEN: Cause = {
  fault: 'unusable',
  says: path => `the lease database ${path} is not open to this user: permission denied`,
  help: () => 'it belongs to root',
}
const BUSY: Cause = {
  fault: 'busy',
  says: path => `the lease database ${path} is in use by another process for too long`,
  help: path => `try again; if it stays so, fuser -v ${path} shows which process it is`,
}
const UNUSABLE: Cause = {
  fault: 'unusable',
  says: (path, reason) => `the lease database ${path} cannot be used: ${reason}`,
  help: path => `look at it and its folder (ls -la ${dirname(path)}; dmesg)`,
}

/** By SQLite's primary result code: the lowest byte. */
const BY_RESULT: Readonly<Record<number, Cause>> = {
  ...{ 3: READ_ONLY, 5: BUSY, 6: BUSY, 8: READ_ONLY, 11: DAMAGED, 13: FULL, 19: DAMAGED, 26: DAMAGED },
}
/** The shared memory beside the file could not be made longer. */
const NO_ROOM_FOR_SHARED_MEMORY = 4874
const BY_CODE: Readonly<Record<string, Cause>> = {
  ...{ ENOSPC: FULL, EDQUOT: FULL, EROFS: READ_ONLY, EACCES: FORBIDDEN, EPERM: FORBIDDEN },
}

export function explained<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storeFailed(path, error)
  }
}

/** Anything else passes through as it is. */
function storeFailed(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof LeaseStoreFailed) return error
  const { errcode, code = '', message } = error as Error & { readonly errcode?: number; readonly code?: string }
  if (errcode === undefined && code === '') return error
  const cause = errcode === NO_ROOM_FOR_SHARED_MEMORY ? FULL : (BY_RESULT[(errcode ?? 0) & 0xff] ?? BY_CODE[code])
  return failureOf(cause ?? UNUSABLE, path, message)
}

export function damaged(path: string, reason: string): LeaseStoreFailed {
  return failureOf(DAMAGED, path, reason)
}

function failureOf({ fault, says, help }: Cause, path: string, reason: string): LeaseStoreFailed {
  return new LeaseStoreFailed(fault, says(path, reason), help(path))
}

/** The reserve is given up, or there was no room for one. */
export function noRoomLeft(path: string): LeaseStoreFailed {
  const help = (of: string) => `${FULL.help(of)}, and what room is left is for pods that end`
  return failureOf({ ...FULL, help }, path, '')
}

/** Of the file system itself. */
export function isNoRoom(error: unknown): boolean {
  return BY_CODE[(error as NodeJS.ErrnoException).code ?? ''] === FULL
}

/** An address was given or given back by half. */
export function damagedRuns(path: string, key: string): LeaseStoreFailed {
  return damaged(path, `its runs of taken addresses do not agree with its leases at ${key}`)
}

export function otherVersion(path: string, version: number, known: number): LeaseStoreFailed {
  const writer = version > known ? 'a newer' : 'an older'
  return new LeaseStoreFailed(
    version > known ? 'newer' : 'unusable',
    `the lease database ${path} was written by ${writer} Switchyard: its version is ${version}, this one has ${known}`,
    version > known
      ? 'use the newer one again, or drain this node and remove the database'
      : 'the next ADD or DEL brings it up to date, and so does a start of switchyard pods',
  )
}

export function gone(path: string, what: string): LeaseStoreFailed {
  return new LeaseStoreFailed(
    'gone',
    `the lease database ${path} was ${what} while it is in use`,
    'put the right file back, or drain this node; then restart what uses it: switchyard pods',
  )
}
