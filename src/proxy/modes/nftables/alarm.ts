import { FAMILY_WORDS, MONITOR_RULES, monitorAuthor } from '#dialects/nft.ts'
import type { Alarm } from '#proxy/modes/mode.ts'
import type { Family } from '#values/address.ts'
import { TABLE } from './names.ts'

// What `nft monitor` says → whether somebody touched our table. Of clients in affinity sets it says nothing.

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
