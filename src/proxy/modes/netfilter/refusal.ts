import * as words from '#dialects/iptables.ts'
import type { RuleWord } from '#dialects/words.ts'
import type { Frontend, ServiceTraffic } from '#proxy/desired/traffic.ts'
import type { Family } from '#values/address.ts'

// A frontend that refuses clients → the words of the rule, behind its chain.

/** How clients are refused: they learn it at once, or nothing answers. */
export type HowRefused = 'reject' | 'drop'

export interface RefusalParts {
  readonly why: string
  readonly how: HowRefused
  readonly family: Family
}

export function refusal(
  { protocol }: Pick<ServiceTraffic, 'protocol'>,
  { ip, port }: Pick<Frontend, 'ip' | 'port'>,
  { why, how, family }: RefusalParts,
): readonly RuleWord[] {
  return [
    ip !== undefined && words.to(ip),
    words.proto(protocol),
    words.comment(why),
    ip === undefined && '-m addrtype --dst-type LOCAL',
    words.dport(protocol, port),
    how === 'reject' ? words.reject(family) : '-j DROP',
  ]
}
