import type { Kernel } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { inBothFamilies, MULTICAST, rangesIn } from './family-ranges.ts'
import type { MasqueradeBackend, MasqueradeRanges } from './masquerading.ts'
import { isChainWhole, type OwnChain, removeChain, ruleOf, writeChain } from './own-chain.ts'

// What leaves the cluster is masqueraded by a chain of our own, which POSTROUTING of the nat table leads to.

export const OUTBOUND_CHAIN = 'SWITCHYARD-OUTBOUND'
const OUTBOUND: OwnChain = {
  ...{ table: 'nat', name: OUTBOUND_CHAIN, entry: 'POSTROUTING' },
  comment: 'pods to outside of the cluster',
}

export function iptablesBackend(kernel: Kernel): MasqueradeBackend {
  return {
    name: 'iptables',
    async write(ranges) {
      await inBothFamilies(async family => {
        const rules = rulesOf(family, ranges)
        if (rules === undefined) await removeChain(kernel, family, OUTBOUND)
        else await writeChain(kernel, family, OUTBOUND, rules)
      })
    },
    async isWhole(ranges) {
      let isWhole = true
      await inBothFamilies(async family => {
        if (!(await isChainWhole(kernel, family, OUTBOUND, rulesOf(family, ranges)))) isWhole = false
      })
      return isWhole
    },
    remove: () => inBothFamilies(async family => void (await removeChain(kernel, family, OUTBOUND))),
  }
}

/** As they are listed. */
function rulesOf(family: Family, all: MasqueradeRanges): readonly string[] | undefined {
  const ranges = rangesIn(family, all)
  if (ranges === undefined) return undefined
  return [
    ...[...ranges.cluster, MULTICAST[family]].map(range => ruleOf(OUTBOUND, `-d ${range}`, '-j RETURN')),
    ...ranges.own.map(range => ruleOf(OUTBOUND, `-s ${range}`, '-j MASQUERADE --random-fully')),
  ]
}
