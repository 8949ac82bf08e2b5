import { readCounters } from './counters.ts'
import { chainName } from './lines.ts'
import { ParseError, type Place } from './parse-error.ts'
import { Rule } from './rule.ts'
import type { Chain, Table } from './save.ts'
import { words } from './words.ts'

// The text of `iptables -S` → a table. The text does not say which table it lists, so the caller does.

/** Takes `-S` and `-S -v`, of a table or of one chain. Throws a ParseError. */
export function parseList(text: string, name = 'filter'): Table {
  const rules = new Map<string, Rule[]>()
  const chains = new Map<string, Chain>()
  const notes: string[] = []
  const add = (chain: Omit<Chain, 'rules'>) => {
    const own = rules.get(chain.name) ?? []
    rules.set(chain.name, own)
    chains.set(chain.name, { ...chain, rules: own })
    return own
  }
  text.split('\n').forEach((raw, i) => {
    const line = raw.trimEnd()
    const place = { line: i + 1, column: 1 }
    if (line.startsWith('#')) notes.push(line)
    else if (line.startsWith('-A ')) {
      const rule = readListedRule(line, place)
      const own = rules.get(rule.chain) ?? add({ name: rule.chain })
      own.push(rule)
    } else if (line !== '') add(declaration(line, place))
  })
  return { name, chains, notes }
}

function readListedRule(line: string, place: Place): Rule {
  words(line, place)
  return new Rule(chainName(line, place), line, { place })
}

/** `-P INPUT ACCEPT -c 12 345` or `-N MINE`. */
function declaration(line: string, place: Place): Omit<Chain, 'rules'> {
  const match = /^(?:-P (\S+) (\S+)|-N (\S+))(?: -c (\d+) (\d+))?$/.exec(line)
  if (match === null) throw new ParseError(`"${line}" is no -P, -N or -A line`, place)
  const [, builtIn, policy, own, packets, bytes] = match
  const counters = packets === undefined ? undefined : readCounters(`[${packets}:${bytes}]`, place)
  return { name: (builtIn ?? own)!, policy: policy ?? '-', counters }
}
