import { readFileSync } from 'node:fs'
import type { ChainAt, Outcome } from '#system/ports.ts'
import { asked, isInstalled } from './ruleset.ts'

// Whether iptables has a chain, or any rules at all → the outcome of the program that would say so, without it. A node may
// have hundreds of thousands of rules, and what is asked of most of its tables is only whether they are empty.

/** Of iptables-nft: other tables are not its own. */
const TABLES: readonly string[] = ['filter', 'nat', 'mangle', 'raw', 'security']
const NOTHING: Outcome = { code: 0, stdout: '', stderr: '' }

/**
 * Undefined for a command that must be run: one that lists rules which are there, one whose program is not installed, and
 * every one where the kernel may not be asked. An absent table is listed as nothing, without its built-in chains.
 */
export function iptablesAnswer(program: string, words: readonly string[]): Outcome | undefined {
  const [, ip, variant, save] = /^(ip6?)tables-(nft|legacy)(-save)?$/.exec(program) ?? []
  if (ip === undefined || !isInstalled(program)) return undefined
  if (variant === 'legacy') return save && words.length === 0 && hasNoLegacyTable(ip) ? NOTHING : undefined
  const family = ip as ChainAt['family']
  return save === undefined ? chainAnswer(family, words) : saveAnswer(family, words)
}

/** `-w 5 -t TABLE -S CHAIN`, of which only the exit status is used: 0 where the chain is there. */
function chainAnswer(family: ChainAt['family'], words: readonly string[]): Outcome | undefined {
  const [, table, chain] = /^-w 5 -t (\w+) -S (\S+)$/.exec(words.join(' ')) ?? []
  if (table === undefined || chain === undefined) return undefined
  const isThere = asked(reader => reader.hasChain({ family, table, chain }))
  return isThere === undefined ? undefined : { ...NOTHING, code: isThere ? 0 : 1 }
}

/** All tables, or `-t TABLE`. */
function saveAnswer(family: ChainAt['family'], words: readonly string[]): Outcome | undefined {
  const [, table] = /^-t (\w+)$/.exec(words.join(' ')) ?? []
  if (words.length > 0 && table === undefined) return undefined
  const tables = asked(reader => reader.tables(family))
  const listed = table === undefined ? TABLES : [table]
  return tables === undefined || listed.some(name => tables.has(name)) ? undefined : NOTHING
}

/** Whether iptables-legacy has rules that the nftables ruleset does not show: `table` is one of its tables in use. */
export function hasLegacyTable(ip: 'ip' | 'ip6', table: string): boolean {
  try {
    return readFileSync(`/proc/net/${ip}_tables_names`, 'utf8').split('\n').includes(table)
  } catch {
    return false
  }
}

/** Where the file is absent, the program may load the module. */
function hasNoLegacyTable(ip: string): boolean {
  try {
    return readFileSync(`/proc/net/${ip}_tables_names`, 'utf8') === ''
  } catch {
    return false
  }
}
