import { KINDS } from '#config/table/kinds.ts'
import { type FlaggedSetting, flagsOf } from '#config/table/table.ts'
import { isVerb, VERBS, type Verb } from '#config/verbs.ts'

// The words of a command line that is being typed → what its last word may become.

export interface Completion {
  readonly candidates: readonly Candidate[]
  /** A path is meant: the shell knows them better. */
  readonly files: boolean
}

interface Candidate {
  /** The whole word, not the rest of it. */
  readonly word: string
  readonly does: string
}

const NOTHING: Completion = { candidates: [], files: false }
const PATHS: Completion = { candidates: [], files: true }
/** Where an operand or a setting that is plain text names files. */
const PATH_OPERANDS = /FILE|DIR/
const PATH_FLAGS: readonly string[] = ['filename']

/** `typed` is what stands behind the name of the program; its last word may be empty. */
export function completion(typed: readonly string[]): Completion {
  const last = typed.at(-1) ?? ''
  const before = typed.slice(0, -1)
  const [first = ''] = before
  if (before.length === 0 && !last.startsWith('-')) return offered(last, verbs())
  const verb = isVerb(first) ? first : 'run'
  const words = isVerb(first) ? before.slice(1) : before
  const flags = flagsOf(verb)
  const open = waitingFor(flags, words.at(-1))
  if (open !== undefined) return valuesOf(open, last, '')
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(last) ?? []
  const meant = name === undefined ? undefined : flags.find(({ flag }) => `--${flag}` === name)
  if (meant !== undefined) return valuesOf(meant, value!, `${name}=`)
  if (last.startsWith('-')) return offered(last, flags.filter(isCurrent).map(asWord))
  return operands(verb, operandsAmong(flags, words), last)
}

function verbs(): readonly Candidate[] {
  return Object.entries(VERBS).map(([word, { does }]) => ({ word, does }))
}

function offered(last: string, candidates: readonly Candidate[]): Completion {
  return { candidates: candidates.filter(({ word }) => word.startsWith(last)), files: false }
}

function isCurrent({ deprecated, legacy, noEffect }: FlaggedSetting): boolean {
  return deprecated === undefined && !legacy && noEffect === undefined
}

/** A flag that may stand alone is a whole word; another one goes on behind `=`. */
function asWord({ flag, kind, help }: FlaggedSetting): Candidate {
  return { word: 'alone' in KINDS[kind] ? `--${flag}` : `--${flag}=`, does: firstSentence(help) }
}

function firstSentence(help: string): string {
  return /^.*?[.:;](?= |$)/.exec(help)?.[0].slice(0, -1) ?? help
}

/** The flag whose value the next word is. */
function waitingFor(flags: readonly FlaggedSetting[], word = ''): FlaggedSetting | undefined {
  return flags.find(
    ({ flag, short, kind }) => !('alone' in KINDS[kind]) && (word === `--${flag}` || word === `-${short}`),
  )
}

function valuesOf({ flag, kind, words, help }: FlaggedSetting, last: string, prefix: string): Completion {
  if (kind === 'path' || PATH_FLAGS.includes(flag)) return PATHS
  const known = words ?? (kind === 'switch' ? ['true', 'false'] : [])
  const does = firstSentence(help)
  return offered(
    `${prefix}${last}`,
    known.map(word => ({ word: `${prefix}${word}`, does })),
  )
}

function operandsAmong(flags: readonly FlaggedSetting[], words: readonly string[]): readonly string[] {
  return words.filter((word, i) => !word.startsWith('-') && waitingFor(flags, words[i - 1]) === undefined)
}

function operands(verb: Verb, given: readonly string[], last: string): Completion {
  const { operands: wanted, commands } = VERBS[verb]
  if (verb === 'help') return given.length === 0 ? offered(last, verbs()) : NOTHING
  if (given.length === 0) return commands === undefined ? NOTHING : offered(last, commandsOf(commands))
  const named = Object.keys(commands ?? {}).find(text => text.split(' ')[0] === given[0]) ?? ''
  const next = commands === undefined ? wanted[given.length] : named.split(' ')[given.length]
  return PATH_OPERANDS.test(next ?? '') ? PATHS : NOTHING
}

function commandsOf(commands: Readonly<Record<string, string>>): readonly Candidate[] {
  return Object.entries(commands).map(([text, does]) => ({ word: text.split(' ')[0]!, does }))
}
