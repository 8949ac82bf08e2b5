import { applyLines, FAMILY_WORDS, hookLine, listTable, MASQUERADE } from '#dialects/nft.ts'
import { listingOf } from '#dialects/nft-listing.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import { inBothFamilies, MULTICAST, rangesIn } from './family-ranges.ts'
import { listing } from './listing.ts'
import type { MasqueradeBackend, MasqueradeRanges } from './masquerading.ts'

// What leaves the cluster is masqueraded by a table of our own, in each family: no other program's rules are touched.

export const OUTBOUND_TABLE = 'switchyard_outbound'
const CHAIN = 'postrouting'
/** After the chains of Services have chosen where a packet goes. */
const HOOK = hookLine({ type: 'nat', hook: 'postrouting', priority: 100, policy: 'accept' })

export function nftablesBackend(kernel: Kernel): MasqueradeBackend {
  return {
    name: 'nftables',
    async write(ranges) {
      const lines = FAMILIES.flatMap(family => [...removalLines(family), ...tableLines(family, ranges)])
      await must(kernel, applyLines(lines))
    },
    async isWhole(ranges) {
      const whole = await Promise.all(
        FAMILIES.map(async family => {
          const text = await listing(kernel, listTable(family, OUTBOUND_TABLE))
          const found = text === undefined ? undefined : listingOf(text).chains.get(CHAIN)
          return found === rulesOf(family, ranges)?.join('\n')
        }),
      )
      return !whole.includes(false)
    },
    async remove() {
      await inBothFamilies(async family => {
        const isThere = (await listing(kernel, listTable(family, OUTBOUND_TABLE))) !== undefined
        if (isThere) await must(kernel, applyLines(removalLines(family), family))
      })
    },
  }
}

/** Deleting what is not there would fail. */
function removalLines(family: Family): readonly string[] {
  const { ip } = FAMILY_WORDS[family]
  return [`add table ${ip} ${OUTBOUND_TABLE}`, `delete table ${ip} ${OUTBOUND_TABLE}`]
}

function tableLines(family: Family, ranges: MasqueradeRanges): readonly string[] {
  const rules = rulesOf(family, ranges)
  if (rules === undefined) return []
  const { ip } = FAMILY_WORDS[family]
  const [hook, ...rest] = rules
  return [
    `add table ${ip} ${OUTBOUND_TABLE}`,
    `add chain ${ip} ${OUTBOUND_TABLE} ${CHAIN} { ${hook} ; }`,
    ...rest.map(line => `add rule ${ip} ${OUTBOUND_TABLE} ${CHAIN} ${line}`),
  ]
}

/** As they are listed, the hook first. */
function rulesOf(family: Family, all: MasqueradeRanges): readonly string[] | undefined {
  const ranges = rangesIn(family, all)
  if (ranges === undefined) return undefined
  const { daddr, saddr } = FAMILY_WORDS[family]
  return [
    HOOK,
    ...[...ranges.cluster, MULTICAST[family]].map(range => `${daddr} ${range} return`),
    ...ranges.own.map(range => `${saddr} ${range} ${MASQUERADE}`),
  ]
}
