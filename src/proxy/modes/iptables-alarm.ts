import type { Tools } from '#dialects/iptables.ts'
import { MONITOR_RULES, monitorAuthor } from '#dialects/nft.ts'
import type { Alarm } from './mode.ts'

// Lines of `nft monitor` → whether another program changed our chains. It does not report changes of iptables-legacy's
// tables.

const FAMILY_WORD = { ipv4: 'ip', ipv6: 'ip6' } as const

/** nft shows the first 15 characters of a program's name, which is all the kernel keeps. */
const SHOWN = 15

export function alarm({ family, variant, restore }: Tools): Alarm | undefined {
  if (variant === 'legacy') return undefined
  const word = FAMILY_WORD[family]
  const ours = new RegExp(
    `^(?:add|create|insert|replace|delete) (?:chain ${word} (?:nat|filter|mangle) KUBE-|rule ${word} (?:nat|filter|mangle) (?:KUBE-|.* (?:jump|goto) KUBE-))`,
  )
  const lost = new RegExp(
    `^delete (?:table ${word} (?:nat|filter|mangle)$|rule ${word} (?:nat|filter) (?:PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) )`,
  )
  return {
    argv: MONITOR_RULES,
    concerns: line => lost.test(line) || (ours.test(line) && !NOT_OURS.test(line)),
    author: monitorAuthor,
    isUs: program => program === restore.slice(0, SHOWN),
    // Each of its blocks that changes anything is a transaction, all by the same process; nft monitor does not report
    // one that changes nothing.
    isChange: ({ argv }) => argv[0] === restore,
  }
}

/** Chains of kubelet, which start with KUBE- too. */
const NOT_OURS = / KUBE-(?:IPTABLES-HINT|KUBELET-CANARY|MARK-DROP)\b/
