import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import type { Suspicion } from '#ipam/leases/leaks/leak-book.ts'
import { holderKey } from '#ipam/leases/lease-book.ts'
import { sortKey } from '#ipam/leases/records/sort-key.ts'
import { type JudgedAttachment, type JudgementParts, judge } from '#ipam/witnesses/judgement.ts'
import { type NamespaceLook, namespaceLook, type SeenNamespaces } from '#ipam/witnesses/namespace-witness.ts'
import { type LeakLimits, type Sightings, WITNESSES, type WitnessName } from '#ipam/witnesses/verdict.ts'
import type { Witness } from '#ipam/witnesses/witness.ts'
import type { Networks } from '#system/network/network.ts'
import type { Clock } from '#system/ports.ts'
import { ConflictSearch, type FoundConflict } from './conflicts.ts'
import { type HolderPage, holderPages, type PageParts } from './pages.ts'

// One round: the leases of this node, then what the witnesses say → a verdict on each attachment, and the addresses that are
// in use without a lease. It changes nothing.

export interface RoundParts extends PageParts {
  readonly networks: Networks
  readonly files: SeenNamespaces & { bootId(): Promise<string> }
  readonly clock: Clock
  /** Of one round: what they have listed is not listed again. */
  readonly witnesses: (look: NamespaceLook) => readonly Witness[]
  readonly limits: LeakLimits
  readonly asked: 'all' | 'until-named'
}

export interface RoundEnd {
  readonly conflicts: readonly FoundConflict[]
  /** Witnesses that could not look at one attachment at least. */
  readonly failed: readonly WitnessName[]
}

export interface LeakRound extends RoundEnd {
  readonly attachments: readonly RoundAttachment[]
}

export interface RoundAttachment extends JudgedAttachment {
  /** Where a DHCP server gave the address. */
  readonly granted?: DhcpRecord
  /** The verdict of the round before, if it was one of doubt. */
  readonly before?: Suspicion['verdict']
}

export interface JudgedPage {
  readonly attachments: readonly RoundAttachment[]
  /** What was suspected before of these, and of holders between them that have no lease any more. */
  readonly known: readonly Suspicion[]
}

/** A page is judged, visited, and forgotten, before the next is read. */
export type PageVisit = (page: JudgedPage) => Promise<void>

export async function pagedRound(parts: RoundParts, visit: PageVisit): Promise<RoundEnd> {
  const { files, clock, limits, asked } = parts
  const boot = await files.bootId()
  // Before all else: a lease that is given while the witnesses are asked is too new to be judged by what they say.
  const now = clock.now()
  const live = new Map()
  let look = namespaceLook(parts, live)
  const lookOnce: NamespaceLook = (path, id) => look(path, id)
  const witnesses = parts.witnesses(lookOnce)
  const search = await ConflictSearch.begin({ ...parts, look: lookOnce, boot })
  const failed = new Set<WitnessName>()
  for await (const page of holderPages(parts)) {
    const attachments = await judgedPage(page, { witnesses, limits, asked, now, boot })
    for (const name of WITNESSES) {
      if (attachments.some(({ testimonies }) => testimonies[name] === 'failed')) failed.add(name)
    }
    await search.lookAt(page.leases)
    await visit({ attachments, known: page.known })
    // What was gone is let go of.
    look = namespaceLook(parts, live)
  }
  return { conflicts: await search.end(), failed: WITNESSES.filter(name => failed.has(name)) }
}

/** With all attachments, in the order of their addresses: for a person who asks. */
export async function leakRound(parts: RoundParts): Promise<LeakRound> {
  const attachments: RoundAttachment[] = []
  const end = await pagedRound(parts, async page => void attachments.push(...page.attachments))
  const keyed = attachments.map(one => ({ key: sortKey(one.leases[0].address), one }))
  const sorted = keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return { attachments: sorted.map(({ one }) => one), ...end }
}

async function judgedPage(
  { leases, granted, known }: HolderPage,
  parts: Omit<JudgementParts, 'before'>,
): Promise<readonly RoundAttachment[]> {
  const suspicions = new Map(known.map(one => [holderKey(one), one]))
  const youngest = new Map<string, number>()
  for (const lease of leases) {
    youngest.set(holderKey(lease), Math.max(lease.at, youngest.get(holderKey(lease)) ?? Number.NEGATIVE_INFINITY))
  }
  const suspicion = (key: string): Suspicion | undefined => {
    const one = suspicions.get(key)
    return one?.at === youngest.get(key) ? one : undefined
  }
  const judged = await judge(leases, { ...parts, before: holder => sightingsOf(suspicion(holderKey(holder))) })
  return judged.map((one): RoundAttachment => {
    const key = holderKey(one.holder)
    const [record, before] = [granted.get(key), suspicion(key)?.verdict]
    return { ...one, ...(record !== undefined && { granted: record }), ...(before !== undefined && { before }) }
  })
}

/** What is to be kept until the next round. */
export function suspicionsAfter({ attachments }: Pick<LeakRound, 'attachments'>): readonly Suspicion[] {
  return attachments.flatMap(({ holder, leases, verdict, before }) => {
    const { is, why, sightings } = verdict
    if (sightings === undefined) return []
    const at = Math.max(...leases.map(lease => lease.at))
    // A witness that failed leaves it as it was.
    const kept = is === 'leaked' || is === 'suspect' ? is : (before ?? 'suspect')
    return [{ ...holder, at, ...sightings, verdict: kept, why }]
  })
}

function sightingsOf(suspicion: Suspicion | undefined): Sightings | undefined {
  if (suspicion === undefined) return undefined
  const { count, since, last } = suspicion
  return { count, since, last }
}
