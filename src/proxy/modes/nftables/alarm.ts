import { FAMILY_WORDS, monitorAuthor } from '#dialects/nft.ts'
import type { Alarm } from '#proxy/modes/mode.ts'
import type { Family } from '#values/address.ts'
import { TABLE } from './names.ts'

// What `nft monitor` says → whether somebody touched our table. Of clients in affinity sets it says nothing.

export function alarm(family: Family): Alarm {
  const ours = new RegExp(`^(?:add|insert|replace|delete) \\w+ ${FAMILY_WORDS[family].ip} ${TABLE}(?: |$)`)
  return {
    argv: ['nft', 'monitor'],
    concerns: line => ours.test(line),
    author: monitorAuthor,
    isUs: program => program === 'nft',
    isChange: ({ argv }) => argv[1] === '-f',
  }
}
