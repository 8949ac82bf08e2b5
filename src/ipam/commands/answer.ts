import type { NamespaceWitness } from '#ipam/leases/changes/context.ts'
import { type NetworkLeases, readLeases } from '#ipam/leases/lease-view.ts'
import { LeaseStoreFailed } from '#ipam/leases/store-failed.ts'

// What every command of `ipam` works with, and what it answers.

export interface IpamAnswer {
  readonly text: string
  /** The exit status: 1 where something needs a look. */
  readonly status: 0 | 1
}

/** Where and when a command looks. */
export interface CommandMoment {
  readonly database: string
  readonly now: number
  /** Of this start of the machine; empty where it does not say. */
  readonly boot: string
  readonly witness?: NamespaceWitness
}

export function networksIn(database: string, now: number): readonly NetworkLeases[] {
  return required(readLeases(database, now), database)
}

/** What was read of a database; an error where there is none. */
export function required<T>(found: T | undefined, database: string): T {
  if (found !== undefined) return found
  throw new Error(
    `there is no lease database at ${database}: no plugin of Switchyard has given an address on this node yet (--database names another one)`,
  )
}

/** A network that was asked for by name. */
export function ofNetwork<T extends { readonly network: string }>(
  all: readonly T[],
  network: string | undefined,
): readonly T[] {
  if (network === undefined || all.some(one => one.network === network)) {
    return all.filter(one => network === undefined || one.network === network)
  }
  const known = [...new Set(all.map(one => one.network))].join(', ') || 'none'
  throw new Error(
    `--network: no network ${JSON.stringify(network)} has given an address on this node; those that have: ${known}`,
  )
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such directory',
  ENOTDIR: 'it is no directory',
  EACCES: 'permission denied',
  EROFS: 'the file system can only be read',
  ENOSPC: 'the disk is full',
}

export function clearError(error: unknown, asked: string): unknown {
  if (error instanceof LeaseStoreFailed) return new Error(`${error.message}; ${error.details}`)
  const { code = '', path } = error as NodeJS.ErrnoException
  if (REASONS[code] === undefined) return error
  return new Error(`${asked}: ${path ?? 'a file in it'}: ${REASONS[code]} (${code})`)
}
