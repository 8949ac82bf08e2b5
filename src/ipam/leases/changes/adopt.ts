import type { Address } from '#values/address.ts'
import { familyOf } from '#values/address.ts'
import type { AddressFile, DirectoryContent } from '../directory/address-file.ts'
import type { Lease, LeaseOwner } from '../lease-book.ts'
import { endHandover } from '../records/handovers.ts'
import { deleteLease, endLease, insertLease, type LeaseRow, leaseRows, plainLease } from '../records/lease-rows.ts'
import { occupants } from '../records/occupants.ts'
import { registeredScope, setGivenLast } from '../records/range-rows.ts'
import { sortKey } from '../records/sort-key.ts'
import type { ChangeContext } from './context.ts'

// Leases of another program → ours, as they are: running pods keep their addresses.

export interface Adoption {
  readonly network: string
  readonly content: Pick<DirectoryContent, 'files' | 'given'>
  readonly cooldownMs: number
  /** What the runtime knows of a container, of which the directory has the id alone. */
  readonly ownerOf?: OwnerLook
}

export type OwnerDetails = Pick<LeaseOwner, 'pod' | 'uid' | 'netns' | 'namespaceId'>
export type OwnerLook = (file: Pick<AddressFile, 'container' | 'ifname'>) => OwnerDetails | undefined

export interface Adopted {
  readonly leases: readonly Lease[]
  /** Those that the other program has ended since they were handed over to it. */
  readonly ended: readonly Lease[]
  /** Held here by the same container. */
  readonly known: number
  /** Addresses that are held here by another: they were not adopted. */
  readonly conflicts: readonly { readonly file: AddressFile; readonly lease: Lease }[]
}

export function adopt({ network, content, cooldownMs, ownerOf }: Adoption, context: ChangeContext): Adopted {
  const { database, boot, now } = context
  const scope = registeredScope(database, network) ?? ''
  const handedOver = endHandover(database, network)
  const ended = handedOver === undefined ? [] : endedMeanwhile({ network, content }, handedOver, context)
  const leases: LeaseRow[] = []
  const conflicts: { file: AddressFile; lease: Lease }[] = []
  for (const file of content.files) {
    const key = sortKey(file.address)
    const all = occupants(database, { network, scope }, file.address)
    // The container that had it is gone; that of the file may be there, and a leak is better than an address of two. Of what had
    // ended here by the time of a handover there was no file: one that is there now is newer.
    const isOver = ({ state, container, at }: Lease) =>
      state === 'cooldown' && (container !== file.container || (handedOver !== undefined && at <= handedOver))
    const [held] = all.filter(lease => !isOver(lease))
    if (held !== undefined) {
      if (!all.some(lease => isSame(lease, network, file))) conflicts.push({ file, lease: plainLease(held) })
      continue
    }
    for (const lease of all) deleteLease(database, lease)
    const { container, ifname } = file
    const set = setFor({ ...file, network }, content.given, context)
    const owner = { network, container, ifname, ...ownerOf?.(file) }
    leases.push(insertLease(database, { owner, scope, key, set, boot, at: now, cooldownMs }))
  }
  for (const [set, address] of content.given) setGivenLast(database, network, { set, key: sortKey(address), scope })
  const known = content.files.length - leases.length - conflicts.length
  return { leases: leases.map(plainLease), ended: ended.map(plainLease), known, conflicts }
}

const NO_FILE = "host-local's directory no longer has it"

/** What this node gave since the handover is not in the directory, and its container is there all the same. */
function endedMeanwhile(
  { network, content }: Pick<Adoption, 'network' | 'content'>,
  handedOver: number,
  { database, now }: ChangeContext,
): readonly LeaseRow[] {
  const files = new Map(content.files.map(file => [file.address, file]))
  const given = leaseRows(database, "WHERE network = ? AND state = 'assigned' AND at < ?", network, handedOver)
  const ended = given.filter(lease => !isSame(lease, network, files.get(lease.address)))
  for (const lease of ended) endLease(database, lease, { at: now, why: NO_FILE, cooldownMs: 0 })
  return ended
}

function isSame(lease: Lease, network: string, file: AddressFile | undefined): boolean {
  if (file === undefined) return false
  const { container, ifname } = file
  const isOwner = lease.network === network && lease.container === container && lease.state === 'assigned'
  return isOwner && (lease.ifname === ifname || ifname === '')
}

type Given = ReadonlyMap<number, Address>

/** The directory does not say which set gave an address: the one whose last address has its family, and that is free. */
function setFor(file: AddressFile & { readonly network: string }, given: Given, { database }: ChangeContext): number {
  const rows = leaseRows(
    database,
    "WHERE network = ? AND container = ? AND ifname = ? AND state = 'assigned'",
    ...[file.network, file.container, file.ifname],
  )
  const used = new Set(rows.map(({ set }) => set))
  const sameFamily = [...given]
    .filter(([, address]) => familyOf(address) === familyOf(file.address))
    .map(([set]) => set)
  const others = Array.from({ length: used.size + 1 }, (_, set) => set)
  return [...sameFamily.sort((a, b) => a - b), ...others].find(set => !used.has(set))!
}
