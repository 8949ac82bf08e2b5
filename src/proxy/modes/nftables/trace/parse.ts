import { isHookLine } from '#dialects/nft.ts'

// The text of a rule → its statements, so that a trace can carry them out.

export type Statement =
  | { readonly do: 'match'; readonly fields: PacketFields; readonly equal: 'yes' | 'no'; readonly value: string }
  | { readonly do: 'vmap'; readonly fields: PacketFields; readonly source: LookupSource }
  | { readonly do: 'dnat-by'; readonly fields: PacketFields; readonly source: LookupSource }
  | { readonly do: 'dnat-to'; readonly to: string }
  | { readonly do: 'mark'; readonly how: 'set' | 'clear' }
  | { readonly do: 'masquerade' }
  /** Changes nothing of this packet. */
  | { readonly do: 'aside' }
  | { readonly do: 'verdict'; readonly verdict: string }
  /** Words that this mode does not write. */
  | { readonly do: 'unknown'; readonly text: string }

/** `ip daddr`, `meta l4proto`, …: the words between the dots. */
export type PacketFields = readonly string[]

/** A map by its name, or choices that are written in the rule. */
export type LookupSource = { readonly name: string } | { readonly choices: ReadonlyMap<string, string> }

export interface Hooked {
  readonly type: string
  readonly hook: string
  readonly priority: number
}

export function hookOf(text: string): Hooked | undefined {
  const match = /^type (\S+) hook (\S+) priority (-?\d+) /.exec(text)
  return match === null ? undefined : { type: match[1]!, hook: match[2]!, priority: Number(match[3]) }
}

/** The rules of a chain, one a line. */
export function rulesOf(text: string): readonly string[] {
  return text.split('\n').filter(line => line !== '' && !isHookLine(line))
}

const FIELD = `(?:${[
  'ip6? [sd]addr',
  'meta l4proto',
  '(?:th|tcp|udp|sctp) dport',
  'numgen random mod \\d+',
  'iifname',
  'fib [sd]addr type',
  'ct state',
  'ct status',
  'meta mark & 0x[0-9a-f]+',
].join('|')})`
const FIELDS = `(${FIELD}(?: \\. ${FIELD})*)`
const SOURCE = '(@\\S+|\\{ .*? \\})'

type Make = (...groups: readonly string[]) => Statement

const FORMS: readonly (readonly [RegExp, Make])[] = [
  form(`${FIELDS} vmap ${SOURCE}`, (fields, found) => ({
    do: 'vmap',
    fields: split(fields!),
    source: sourceOf(found!),
  })),
  form(`dnat ip6? to ${FIELDS} map ${SOURCE}`, (fields, found) => ({
    do: 'dnat-by',
    fields: split(fields!),
    source: sourceOf(found!),
  })),
  form('dnat to (\\S+)', to => ({ do: 'dnat-to', to: to! })),
  form('meta mark set meta mark ([|^]) 0x[0-9a-f]+', sign => ({ do: 'mark', how: sign === '|' ? 'set' : 'clear' })),
  form('masquerade(?: \\S+)?', () => ({ do: 'masquerade' })),
  form('update @\\S+ \\{ .*? \\}', () => ({ do: 'aside' })),
  form('((?:jump|goto) \\S+|return|drop|accept|reject)', verdict => ({ do: 'verdict', verdict: verdict! })),
  form('comment ".*"', () => ({ do: 'aside' })),
  form(`${FIELDS}( !=)? (\\S+)`, (fields, not, value) => ({
    do: 'match',
    fields: split(fields!),
    equal: not === undefined ? 'yes' : 'no',
    value: value!,
  })),
]

export function statementsOf(line: string): readonly Statement[] {
  const found: Statement[] = []
  for (let at = 0; at < line.length; ) {
    const { statement, end } = next(line, at)
    found.push(statement)
    at = end
  }
  return found
}

function next(line: string, at: number): { readonly statement: Statement; readonly end: number } {
  for (const [pattern, make] of FORMS) {
    pattern.lastIndex = at
    const match = pattern.exec(line)
    if (match !== null) return { statement: make(...match.slice(1)), end: pattern.lastIndex }
  }
  return { statement: { do: 'unknown', text: line.slice(at) }, end: line.length }
}

function form(pattern: string, make: Make): readonly [RegExp, Make] {
  return [new RegExp(`${pattern}(?: |$)`, 'y'), make]
}

function split(fields: string): PacketFields {
  return fields.split(' . ')
}

function sourceOf(text: string): LookupSource {
  if (text.startsWith('@')) return { name: text.slice(1) }
  const pairs = text
    .slice(2, -2)
    .split(' , ')
    .map(pair => pair.split(' : ') as [string, string])
  return { choices: new Map(pairs) }
}
