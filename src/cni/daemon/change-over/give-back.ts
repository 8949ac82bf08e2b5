import { makeFolders, type Written } from '#ipam/leases/directory/directory.ts'
import { type ExportedNetwork, exportFolders } from '#ipam/leases/directory/transfer.ts'
import { readLeases } from '#ipam/leases/lease-view.ts'
import type { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import type { Clock } from '#system/ports.ts'
import { LOCKED, whileAllLocked } from './folder-locks.ts'

// Host-local in its place again, and our leases in its directory, so that no address is given twice on the way.

export interface GiveBackParts {
  readonly database: string
  readonly book: Pick<SqliteLeaseBook, 'handOver'>
  readonly clock: Clock
  /** Of the networks that have leases here. */
  readonly which: (network: string) => boolean
}

export interface GivenBack<T> {
  readonly unplaced: T
  readonly networks: readonly ExportedNetwork[]
}

/** Calls to plugins of ours that were started before their executable was replaced: the next one has its turn by then. */
const SETTLED_MS = 1000
/** Host-local, and the pods that need it, wait meanwhile. */
const MOST_PAUSES = 15

/**
 * The leases are written and the folders opened while no host-local is in its place. Then one may be called, and waits until what
 * calls gave that were under way is written, too.
 */
export async function giveBack<T>(
  dataDir: string,
  unplace: () => Promise<T>,
  { database, book, clock, which }: GiveBackParts,
): Promise<GivenBack<T>> {
  const leases = () => (readLeases(database, clock.now()) ?? []).filter(({ network }) => which(network))
  const names = leases().map(({ network }) => network)
  const write = () =>
    exportFolders(
      dataDir,
      leases().filter(({ network }) => names.includes(network)),
      LOCKED,
    )
  return whileAllLocked(makeFolders(dataDir, names), clock, async () => {
    const first = await write()
    // Known before host-local can give anything: whatever ends this half way, a later import counts what it has ended as ended.
    await book.handOver(names, clock.now())
    const unplaced = await unplace()
    await settled(() => JSON.stringify(leases()), clock)
    const now = clock.now()
    const second = await write()
    await book.handOver(names, now)
    return { unplaced, networks: first.map((one, i) => summed(one, second[i])) }
  })
}

/** After a pause in which nothing was given or freed any more: on a node where many pods begin, calls wait for their turns. */
async function settled(read: () => string, clock: Clock): Promise<void> {
  let before = read()
  for (let pauses = 0; pauses < MOST_PAUSES; pauses++) {
    await clock.sleep(SETTLED_MS)
    const now = read()
    if (now === before) return
    before = now
  }
}

function summed(one: ExportedNetwork, { written, removed }: Written = { written: 0, removed: 0 }): ExportedNetwork {
  return { ...one, written: one.written + written, removed: one.removed + removed }
}
