import type { DhcpBook, DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import type { LeakBook, Suspicion } from '#ipam/leases/leaks/leak-book.ts'
import { type Holder, holderKey, type Lease } from '#ipam/leases/lease-book.ts'
import { grantedLease } from './granted.ts'

// The leases of this node, ours and those of DHCP servers → pages of holders, each with all its leases. A node may have 65,000:
// only one page is in memory at a time.

export interface PageParts {
  readonly book: LeakBook
  /** Absent where no DHCP is spoken. */
  readonly dhcp?: Pick<DhcpBook, 'all'> | undefined
  /** How many leases a page has, or a few more. */
  readonly atOnce?: number
}

export interface HolderPage {
  readonly leases: readonly Lease[]
  /** Where a DHCP server gave the address; by holder. */
  readonly granted: ReadonlyMap<string, DhcpRecord>
  /** What was suspected of these holders, and of those between them that have no lease any more. */
  readonly known: readonly Suspicion[]
}

/** So few that V8 finds them gone when it next looks at what is young: of pages of 500, 20 MB more had grown old. */
const AT_ONCE = 100

/** Each is read when it is asked for: what is given after the first was may be in a later one. */
export async function* holderPages({ book, dhcp, atOnce = AT_ONCE }: PageParts): AsyncGenerator<HolderPage, void> {
  const granted = new Map(((await dhcp?.all()) ?? []).map(record => [holderKey(record.owner), record]))
  const suspected: Suspicion[] = []
  let last: Holder | undefined
  do {
    const page = await book.page(last, atOnce)
    last = page.last
    const own = new Map<string, DhcpRecord>()
    for (const key of new Set(page.leases.map(holderKey))) {
      const record = granted.get(key)
      if (record !== undefined) own.set(key, record)
      granted.delete(key)
    }
    // Those whose only address is of a DHCP server come at the end.
    suspected.push(...page.suspicions.filter(one => granted.has(holderKey(one))))
    yield {
      leases: [...page.leases, ...[...own.values()].map(grantedLease)],
      granted: own,
      known: page.suspicions.filter(one => !granted.has(holderKey(one))),
    }
  } while (last !== undefined)
  yield { leases: [...granted.values()].map(grantedLease), granted, known: suspected }
}
