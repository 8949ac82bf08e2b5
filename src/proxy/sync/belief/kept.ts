import type { Part, Ruleset, Unit } from '#proxy/modes/mode.ts'
import { asPart, asUnit, textOf } from '#proxy/modes/unit.ts'
import { hash16, textNumber } from '#values/digest.ts'

// What was believed of the kernel ⇄ a text for the next process, in sections: what is written once, and what changed since.
// Where no commit has been made since the last section, the kernel has exactly this. Otherwise it has those parts whose
// fingerprints are these, however old the text is: each line is true by itself.

/** All that must be as it was. Any difference, and the text says nothing about this kernel. */
export interface KeptFor {
  /** Another program, mode, tool, boot or network namespace means something else by the same words. */
  readonly identity: readonly string[]
  /** The number of the last commit; undefined where commits came while the text was made, or more of it follows. */
  readonly generation: number | undefined
}

/** Units by the number of their text. */
export type KeptUnits = ReadonlyMap<Unit, number>

export interface KeptBelief {
  readonly generation: number | undefined
  readonly units: KeptUnits
  /** Parts by their fingerprint in the kernel. */
  readonly prints: ReadonlyMap<Part, number>
  /** Where another section may follow; undefined where something else does. */
  readonly end: KeptEnd | undefined
}

/** Each section names the digest of the one before: none is missing, and none is of another text. */
export interface KeptEnd {
  readonly digest: string
  /** Of all sections. */
  readonly lines: number
}

export const START: KeptEnd = { digest: 'switchyard belief 4', lines: 0 }
const NONE = '-'

/** A unit and the part that it is all of have the same name, and one line. `TEXT PRINT UNIT`, or `- PRINT PART` for a part that is no unit; `- - NAME` where there is neither any more. */
export function keptLine(name: string, installed: Ruleset, prints: ReadonlyMap<Part, number>): string {
  const text = installed.get(asUnit(name))
  return `${text === undefined ? NONE : hex(textNumber(text))} ${hex(prints.get(asPart(name)))} ${name}`
}

export function* keptNames(installed: Ruleset, prints: ReadonlyMap<Part, number>): Generator<string> {
  for (const unit of installed.keys()) yield textOf(unit)
  for (const part of prints.keys()) if (!installed.has(asUnit(textOf(part)))) yield textOf(part)
}

export function keptSection(lines: readonly string[], about: KeptFor, after: KeptEnd) {
  const body = [headOf(about, lines.length), ...lines, ''].join('\n')
  const digest = digestOf(after, body)
  return { text: `${body}${digest}\n`, end: { digest, lines: after.lines + lines.length } }
}

/** What sections say up to the first in which anything is amiss: a byte, the end, another boot. Undefined where that is the first. */
export function keptBelief(text: string, identity: KeptFor['identity']): KeptBelief | undefined {
  const found = { units: new Map<Unit, number>(), prints: new Map<Part, number>() }
  let [end, at, generation]: [KeptEnd, number, number | undefined] = [START, 0, undefined]
  while (at < text.length) {
    const section = sectionAt(text, at, end, identity)
    if (section === undefined) break
    takeLines(text, section.from, section.to, found)
    ;({ end, at, generation } = section)
  }
  if (end === START) return undefined
  const isWhole = at === text.length
  return { ...found, generation: isWhole ? generation : undefined, end: isWhole ? end : undefined }
}

function sectionAt(text: string, start: number, after: KeptEnd, identity: KeptFor['identity']) {
  const from = text.indexOf('\n', start) + 1
  const head = text.slice(start, from - 1)
  const { lines, generation } = numbersIn(head)
  if (from === 0 || lines === undefined || head !== headOf({ identity, generation }, lines)) return undefined
  let to = from
  for (let line = 0; line < lines; line++) {
    to = text.indexOf('\n', to) + 1
    if (to === 0) return undefined
  }
  const digest = digestOf(after, text.slice(start, to))
  const at = to + digest.length + 1
  if (text.slice(to, at) !== `${digest}\n`) return undefined
  return { from, to, at, generation, end: { digest, lines: after.lines + lines } }
}

function headOf({ identity, generation }: KeptFor, lines: number): string {
  return JSON.stringify({ identity, lines, generation: generation ?? null })
}

function numbersIn(head: string): { readonly lines?: number; readonly generation: number | undefined } {
  const [, lines, generation] = /"lines":(\d+),"generation":(\d+|null)\}$/.exec(head) ?? []
  if (lines === undefined) return { generation: undefined }
  return { lines: Number(lines), generation: generation === 'null' ? undefined : Number(generation) }
}

function digestOf({ digest }: KeptEnd, body: string): string {
  return hash16(`${digest}\n${body}`)
}

function takeLines(
  text: string,
  from: number,
  to: number,
  { units, prints }: { readonly units: Map<Unit, number>; readonly prints: Map<Part, number> },
) {
  for (let start = from; start < to; ) {
    const end = text.indexOf('\n', start)
    const first = text.indexOf(' ', start)
    const second = text.indexOf(' ', first + 1)
    const name = text.slice(second + 1, end)
    set(units, asUnit(name), text.slice(start, first))
    set(prints, asPart(name), text.slice(first + 1, second))
    start = end + 1
  }
}

function set<Name>(numbers: Map<Name, number>, name: Name, digits: string): void {
  if (digits === NONE) numbers.delete(name)
  else numbers.set(name, Number.parseInt(digits, 16))
}

function hex(value: number | undefined): string {
  return value === undefined ? NONE : value.toString(16)
}
