import type { Machine } from '#lab/paper/machine.ts'
import type { Family } from '#values/address.ts'
import type { TableName, Variant } from './builtin.ts'
import { notUnderstood, Refused, usage } from './refused.ts'
import type { Words } from './rule/extension-words.ts'
import { type Rule, RuleWords } from './rule/rule.ts'
import { isTargetName, NO_FILTERING_IN_NAT } from './rule/targets.ts'

// The words of one command (`-A CHAIN …`, `-X CHAIN`) → what it is to change.

export type Change =
  | { readonly what: 'append' | 'delete' | 'check'; readonly chain: string; readonly rule: Rule }
  | { readonly what: 'insert' | 'replace'; readonly chain: string; readonly position: number; readonly rule: Rule }
  | { readonly what: 'delete-at'; readonly chain: string; readonly position: number }
  | { readonly what: 'create'; readonly chain: string }
  | { readonly what: 'remove' | 'flush' | 'zero'; readonly chain: string | undefined }
  | { readonly what: 'list'; readonly chain: string | undefined; readonly position?: number }
  | { readonly what: 'policy'; readonly chain: string; readonly policy: string }
  /** `:CHAIN POLICY [0:0]`, which only restore knows. */
  | { readonly what: 'declare'; readonly chain: string; readonly policy: string; readonly counters: string }

export interface Scope {
  readonly family: Family
  readonly variant: Variant
  readonly table: TableName
  readonly machine: Machine
}

/** The command, by its letter. */
const LONG_COMMANDS: Readonly<Record<string, string>> = {
  ...{ '--append': '-A', '--insert': '-I', '--replace': '-R', '--delete': '-D', '--check': '-C' },
  ...{ '--new-chain': '-N', '--new': '-N', '--delete-chain': '-X', '--flush': '-F', '--zero': '-Z' },
  ...{ '--policy': '-P', '--list-rules': '-S' },
}

/** The command comes first; `counters` are those before the rule in a restore document. */
export function changeOf(line: readonly string[], scope: Scope, counters = '0:0'): Change {
  const words = [...line]
  const command = takeCommand(words)
  return command.letter === '-P'
    ? policyChange(command, words, scope)
    : changeBy(command, words, { ...scope, counters })
}

interface CommandWords {
  readonly letter: string
  readonly chain: string | undefined
  readonly position: number | undefined
}

type CountedScope = Scope & { readonly counters: string }

function takeCommand(words: Words): CommandWords {
  const first = words.shift()
  const letter = commandLetter(first)
  if (first === undefined || letter === undefined) throw notACommand(first)
  const chain = isOption(words[0]) ? undefined : words.shift()!
  if (chain === undefined && !'-X-F-Z-S'.includes(letter)) throw usage(`option "${letter}" requires an argument`)
  if (chain !== undefined && chain.length > 28) {
    throw usage(`chain name \`${chain}' too long (must be under 29 chars)`)
  }
  const numbered = '-I-R-D-S'.includes(letter) && chain !== undefined && !isOption(words[0])
  return { letter, chain, position: numbered ? ruleNumber(words.shift()!) : undefined }
}

function commandLetter(word = ''): string | undefined {
  const letter = LONG_COMMANDS[word] ?? word
  return /^-[AIRDCNXFZPS]$/.test(letter) ? letter : undefined
}

function notACommand(word: string | undefined): Refused {
  if (word === undefined) return usage('no command specified')
  return word.startsWith('-')
    ? notUnderstood(`${word} as the first word`)
    : new Refused('bare', `Bad argument \`${word}'`)
}

function isOption(word: string | undefined): boolean {
  return word === undefined || word.startsWith('-') || word === '!'
}

function ruleNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw usage(`Invalid rule number \`${text}'`)
  return Number(text)
}

function changeBy({ letter, chain = '', position }: CommandWords, words: Words, scope: CountedScope): Change {
  const rule = new RuleWords({ ...scope, chain })
  while (words.length > 0) takeOther(words, rule)
  const named = chain === '' ? undefined : chain
  const withoutRule = WITHOUT_RULE[letter]
  if (withoutRule !== undefined || (letter === '-D' && position !== undefined)) {
    if (rule.first !== undefined) throw usage(`Illegal option \`${rule.first}' with this command`)
  }
  if (letter === '-N') return { what: 'create', chain: newName(chain) }
  if (letter === '-S') return { what: 'list', chain: named, ...(position === undefined ? {} : { position }) }
  if (withoutRule !== undefined) return { what: withoutRule, chain: named }
  if (letter === '-D' && position !== undefined) return { what: 'delete-at', chain, position }
  const finished = rule.finished(scope.counters)
  if (letter === '-I') return { what: 'insert', chain, position: position ?? 1, rule: finished }
  if (letter === '-R' && position === undefined) throw usage('-R requires a rule number')
  if (letter === '-R') return { what: 'replace', chain, position: position!, rule: finished }
  return { what: letter === '-A' ? 'append' : letter === '-D' ? 'delete' : 'check', chain, rule: finished }
}

const WITHOUT_RULE: Readonly<Record<string, 'remove' | 'flush' | 'zero' | undefined>> = {
  ...{ '-X': 'remove', '-F': 'flush', '-Z': 'zero' },
}

function takeOther(words: Words, rule: RuleWords): void {
  const word = words[0]!
  if (commandLetter(word) !== undefined) throw usage(`Cannot use ${word} with another command`)
  if (/^-[ELVncvxf46gwWtM0]$|^--(list|rename-chain|goto|fragment|set-counters)$/.test(word)) throw notUnderstood(word)
  rule.take(words)
}

function policyChange({ chain = '' }: CommandWords, words: Words, { table }: Scope): Change {
  const [policy, ...more] = words
  if (policy === undefined || policy.startsWith('-')) throw usage('-P requires a chain and a policy')
  if (more.length > 0) throw new Refused('bare', `Bad argument \`${more[0]}'`)
  if (table === 'nat' && policy === 'DROP') throw usage(NO_FILTERING_IN_NAT)
  return { what: 'policy', chain, policy }
}

/** A name that a chain may be given. */
export function newName(chain: string): string {
  if (/^[-!]/.test(chain)) throw usage(`chain name not allowed to start with \`${chain[0]}'`)
  if (chain.length > 28) throw usage(`chain name \`${chain}' too long (must be under 29 chars)`)
  if (/\s/.test(chain) || chain === '') throw usage(`Invalid chain name \`${chain}'`)
  if (isTargetName(chain)) throw usage('chain name may not clash with target name')
  return chain
}
