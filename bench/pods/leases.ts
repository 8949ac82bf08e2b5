import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { rangeSets } from '#ipam/ranges/range-config.ts'

// So many leases of one network, in each contender's own store, as if they had been taken one after another.

export const NETWORK = 'bench'
export const SUBNET = '10.0.0.0/15'
/** Of host-local. */
export const DATA_DIR = '/var/lib/cni/networks'

/** What fits a transaction: more at once saves nothing. */
const AT_ONCE = 500

/** From the lease of number `from` on, up to that of number `to`. */
export async function fill(book: SqliteLeaseBook, from: number, to: number): Promise<void> {
  const ranges = rangeSets({ ipam: { subnet: SUBNET }, ipRanges: undefined })
  if (!ranges.ok) throw new Error(JSON.stringify(ranges.problems))
  for (let first = from; first < to; first += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, to - first) }, (_, i) => first + i)
    await Promise.all(numbers.map(number => book.take(request(number, ranges.sets))))
  }
  fillFolder(from, to)
}

function request(number: number, sets: Parameters<SqliteLeaseBook['take']>[0]['sets']) {
  return {
    owner: {
      ...{ network: NETWORK, container: containerOf(number), ifname: 'eth0', pod: `bench/pod-${number}` },
      // Of pods that are gone: a round that looks for leaks has most to do with those.
      ...{ netns: `/run/netns/filled-${number}`, namespaceId: `4:${number}` },
    },
    sets,
    requested: [],
    onDuplicate: 'error',
    overlap: 'refuse',
    cooldownMs: 0,
  } as const
}

/** The names of the files are the addresses. */
function fillFolder(from: number, to: number): void {
  const folder = join(DATA_DIR, NETWORK)
  mkdirSync(folder, { recursive: true })
  for (let number = from; number < to; number++) {
    writeFileSync(join(folder, addressOf(number)), `${containerOf(number)}\r\neth0`)
  }
  if (to > from) writeFileSync(join(folder, 'last_reserved_ip.0'), addressOf(to - 1))
}

/** As long as those of containerd. */
function containerOf(number: number): string {
  return `filled-${number}-`.padEnd(64, '0')
}

/** The first is 10.0.0.2, behind the gateway. */
function addressOf(number: number): string {
  const host = number + 2
  return `10.${host >> 16}.${(host >> 8) & 255}.${host & 255}`
}
