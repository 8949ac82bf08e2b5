import type { Tools } from '#dialects/iptables.ts'
import { monitorAuthor } from '#dialects/nft.ts'
import type { Alarm } from './mode.ts'

// What `nft monitor` says → whether somebody touched our chains. iptables-legacy's tables are not told of.

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
    argv: ['nft', 'monitor'],
    concerns: line => lost.test(line) || (ours.test(line) && !NOT_OURS.test(line)),
    author: monitorAuthor,
    isUs: program => program === restore.slice(0, SHOWN),
    // Each of its blocks that changes anything is a transaction, all by the same process; one that changes nothing is not told of.
    isChange: ({ argv }) => argv[0] === restore,
  }
}

/** kubelet's chains have the same first name. */
const NOT_OURS = / KUBE-(?:IPTABLES-HINT|KUBELET-CANARY|MARK-DROP)\b/
