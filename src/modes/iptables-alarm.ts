import type { Tools } from '../dialects/iptables.ts'
import type { Alarm } from './mode.ts'

// What `nft monitor` says → whether somebody touched our chains. iptables-legacy's tables are not told of.

const FAMILY_WORD = { ipv4: 'ip', ipv6: 'ip6' } as const

/** nft shows the first 15 characters of a program's name, which is all the kernel keeps. */
const SHOWN = 15

export function alarm({ family, variant, restore }: Tools): Alarm | undefined {
  if (variant === 'legacy') return undefined
  const word = FAMILY_WORD[family]
  const ours = new RegExp(`^(?:add|insert|replace|delete) (?:chain|rule) ${word} (?:nat|filter|mangle) KUBE-`)
  const lost = new RegExp(
    `^delete (?:table ${word} (?:nat|filter|mangle)$|rule ${word} (?:nat|filter) (?:PREROUTING|INPUT|FORWARD|OUTPUT|POSTROUTING) )`,
  )
  return {
    argv: ['nft', 'monitor'],
    concerns: line => lost.test(line) || (ours.test(line) && !NOT_OURS.test(line)),
    author: line => /^# new generation \d+ by process \d+ \((.*)\)$/.exec(line)?.[1],
    isUs: author => author === restore.slice(0, SHOWN),
  }
}

/** kubelet's chains have the same first name. */
const NOT_OURS = / KUBE-(?:IPTABLES-HINT|KUBELET-CANARY|MARK-DROP)\b/
