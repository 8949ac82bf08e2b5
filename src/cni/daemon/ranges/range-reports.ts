import type { GrantBook } from '#ipam/leases/grants/grant-book.ts'
import { holderKey, type Lease } from '#ipam/leases/lease-book.ts'
import { rangeOf, rangesText } from '#ipam/ranges/range-bounds.ts'
import type { AddressStretch, MyRanges } from '#ipam/sources/range-source.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { formatDuration } from '#values/duration.ts'
import type { KeeperReports } from './range-keeper.ts'

// What becomes of this node's ranges → lines of the log, each once, and the configuration of the network.

export interface RangeReportsParts {
  readonly source: string
  readonly book: Pick<GrantBook, 'leases'>
  readonly log: Log
  /** Places the configuration of the network where it is not there as it should be. */
  readonly configure: (mine: MyRanges) => Promise<'placed' | 'unchanged'>
}

/** So many pods are named one by one. */
const MOST_NAMED = 20

export function rangeReports({ source, book, log, configure }: RangeReportsParts): KeeperReports {
  let [why, failing, stranded] = ['', false, new Set<string>()]
  return {
    async looked({ gained, lost }, mine) {
      if (failing) log.info(0, 'Ranges of this node are up to date again', { source })
      failing = false
      if (gained.length > 0) log.info(0, 'This node has ranges', { source, gained: shown(gained), all: allOf(mine) })
      if (lost.length > 0) {
        log.warning('This node has lost ranges', { source, lost: shown(lost), next: 'no address of them is given' })
      }
      const left = strandedLeases(book.leases(), mine)
      nameStranded(
        left.filter(lease => !stranded.has(keyOf(lease))),
        log,
      )
      stranded = new Set(left.map(keyOf))
      if (mine.sets.length === 0 && mine.why !== why)
        log.info(0, 'This node has no range yet', { source, why: mine.why })
      why = mine.why
      if (mine.sets.length > 0 && (await configure(mine)) === 'placed') {
        log.info(0, 'Network configuration written', { source })
      }
    },
    asked: ({ free, size }) =>
      log.info(0, 'Asked other nodes for addresses', { source, free: String(free), of: String(size) }),
    gaveBack: ranges => log.info(0, 'Gave back ranges that are not used', { source, ranges: shown(ranges) }),
    failed(error, againMs) {
      const pairs = {
        source,
        next: `addresses are given from what was known, tried again in ${formatDuration(Math.round(againMs))}`,
      }
      // Once, and not each time while an API server is away.
      if (failing) log.info(2, 'Ranges of this node could not be looked at again', { ...pairs, err: String(error) })
      else log.error('Ranges of this node could not be looked at', error, pairs)
      failing = true
    },
  }
}

/** Leases of pods whose addresses are of a range that the node has no longer. */
export function strandedLeases(leases: readonly Lease[], { sets }: Pick<MyRanges, 'sets'>): readonly Lease[] {
  return leases.filter(({ address }) => !sets.some(set => rangeOf(set, address) !== undefined))
}

function nameStranded(leases: readonly Lease[], log: Log): void {
  for (const { address, pod, network, container } of leases.slice(0, MOST_NAMED)) {
    const whose = pod === undefined ? { container } : { pod }
    log.warning('A pod has an address of a range that is not this node’s any longer', {
      ...{ address, ...whose, network },
      next: 'another node may give the same to a pod: delete this pod, its next one gets another address',
    })
  }
  const more = leases.length - MOST_NAMED
  if (more > 0) log.warning('More pods have such addresses', { count: more, look: 'switchyard ipam ls' })
}

function keyOf(lease: Lease): string {
  return `${holderKey(lease)} ${lease.address}`
}

function shown(ranges: readonly AddressStretch[]): string {
  return ranges.map(({ first, last }) => `${first}-${last}`).join(',')
}

function allOf({ sets }: MyRanges): string {
  return sets.map(rangesText).join(',')
}
