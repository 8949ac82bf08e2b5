import type { Outcome } from '#system/ports.ts'
import { asked, isInstalled } from './ruleset.ts'

// A table that is not there → what nft says of it, without nft: on a node's first start, that is all that is asked of it.

/** Undefined for every other command, and where the table is there. */
export function nftAnswer(words: readonly string[]): Outcome | undefined {
  const [, ip, table] = /^-j list table (ip6?) (\S+)$/.exec(words.join(' ')) ?? []
  if (ip === undefined || table === undefined || !isInstalled('nft')) return undefined
  const tables = asked(reader => reader.tables(ip as 'ip' | 'ip6'))
  if (tables === undefined || tables.has(table)) return undefined
  const stderr = `Error: No such file or directory\nlist table ${ip} ${table}\n${' '.repeat(`list table ${ip} `.length)}${'^'.repeat(table.length)}\n`
  return { code: 1, stdout: '', stderr }
}
