import { FAMILY_WORDS } from '#dialects/nft.ts'
import type { Watches } from '#proxy/modes/mode.ts'
import type { Family } from '#values/address.ts'
import { TABLE } from './names.ts'

// What commits of other programs mean for our table: any touch of it, and all of it is read, which takes a moment at any size.
// The kernel reports nothing of clients that enter affinity sets.

export function watches(family: Family): Watches {
  const { ip } = FAMILY_WORDS[family]
  return {
    author: ({ does, argv }) => (does === 'write' && argv[0] === 'nft' ? 'nft' : undefined),
    concerns: touch => (touch.family === ip && touch.table === TABLE ? 'everything' : 'nothing'),
  }
}
