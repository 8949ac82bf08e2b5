import { listChain, plainlyNamed } from '#dialects/iptables.ts'
import type { KeptRules } from '#ipam/leases/rules/rule-book.ts'
import type { AddressWithPrefix } from '#system/network/network.ts'
import { type Address, FAMILIES } from '#values/address.ts'
import type { RewriteParts, RewrittenKind } from '../../kept-rules.ts'
import type { MasqueradeChoice } from '../configuration.ts'
import { masqueradeBy } from './choice.ts'
import { jumpsIn } from './iptables-lines.ts'
import type { Masquerade } from './masquerade.ts'
import { masqueradedByNftables } from './masquerade-nftables.ts'

// The masquerade of an attachment, as it is kept → looked for by its addresses, and written anew.

export interface WantedMasquerade {
  readonly masquerade: MasqueradeChoice
  readonly ips: readonly AddressWithPrefix[]
}

export const keptMasquerade: RewrittenKind = {
  async look(parts) {
    const found = await Promise.all([jumpedFrom(parts), masqueradedByNftables(parts)])
    const addresses = new Set<string>(found.flat())
    return rules => wantedOf(rules).ips.every(({ address }) => addresses.has(address))
  },

  async isWhole(rules, parts) {
    const { by, ips } = chosen(rules, parts)
    return (await by?.missing(rules.holder, ips))?.length === 0
  },

  async write(rules, parts) {
    const { by, ips } = chosen(rules, parts)
    // Some of them may be left.
    await by?.remove(rules.holder, ips)
    await by?.add(rules.holder, ips)
  },

  async remove(rules, parts) {
    const { by, ips } = chosen(rules, parts)
    await by?.remove(rules.holder, ips)
  },
}

/** The addresses for which POSTROUTING leads to a chain: none of them does after `iptables -t nat -F`. */
async function jumpedFrom({ kernel }: RewriteParts): Promise<readonly Address[]> {
  const listings = await Promise.all(
    FAMILIES.map(family => kernel.run(listChain(plainlyNamed(family, 'nft'), 'nat', 'POSTROUTING'))),
  )
  return listings.flatMap(({ stdout }) => jumpsIn(stdout).map(({ source }) => source))
}

interface ChosenMasquerade extends Pick<WantedMasquerade, 'ips'> {
  readonly by: Masquerade | undefined
}

function chosen(rules: KeptRules, parts: RewriteParts): ChosenMasquerade {
  const { masquerade, ips } = wantedOf(rules)
  return { by: masqueradeBy(masquerade, parts), ips }
}

/** What we wrote ourselves. */
function wantedOf({ wanted }: KeptRules): WantedMasquerade {
  return JSON.parse(wanted) as WantedMasquerade
}
