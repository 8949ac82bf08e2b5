import { FAMILY_WORDS, MONITOR_RULES, monitorAuthor } from '#dialects/nft.ts'
import type { Alarm } from '#proxy/modes/mode.ts'
import type { Family } from '#values/address.ts'
import { TABLE } from './names.ts'

// A line of `nft monitor` → whether our table was changed. It prints nothing of clients that enter affinity sets.

export function alarm(family: Family): Alarm {
  const ours = new RegExp(`^(?:add|insert|replace|delete) \\w+ ${FAMILY_WORDS[family].ip} ${TABLE}(?: |$)`)
  return {
    argv: MONITOR_RULES,
    concerns: line => ours.test(line),
    author: monitorAuthor,
    isUs: program => program === 'nft',
    isChange: ({ does, argv }) => does === 'write' && argv[0] === 'nft',
  }
}
