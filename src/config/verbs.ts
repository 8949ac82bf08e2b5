import { nearest } from './table/nearest.ts'

// The verbs, each with what stands after it and what it does: help, the command line and main.ts all read this list. The
// module of a verb is src/verbs/VERB.ts.

interface VerbText {
  /** In brackets: may be left out. */
  readonly operands: readonly string[]
  readonly does: string
  /** The exit status where it could not do its work, if not 1. */
  readonly failure?: number
}

const LIST = {
  run: { operands: [], does: 'proxy Services on this node (what happens without a verb)' },
  render: { operands: [], does: 'print what would be given to the kernel for the objects in files' },
  verify: { operands: [], does: 'compare the kernel with what it should hold', failure: 2 },
  explain: { operands: ['FROM', 'TO:PORT'], does: 'follow a packet through the rules, step by step' },
  cleanup: { operands: [], does: 'remove every rule a service proxy has left on this node' },
  setup: { operands: [], does: "do only what needs all of root's rights" },
  help: { operands: ['[VERB]'], does: 'print this text, or that of a verb' },
  version: { operands: [], does: 'print the version' },
} as const satisfies Readonly<Record<string, VerbText>>

export type Verb = keyof typeof LIST

export const VERBS: Readonly<Record<Verb, VerbText>> = LIST

export function isVerb(word: string): word is Verb {
  return Object.hasOwn(VERBS, word)
}

/** What is wrong with a word that stands where a verb would. */
export function notAVerb(word: string): string {
  const meant = nearest(word, Object.keys(VERBS))
  const hint = meant === undefined ? `the verbs are ${Object.keys(VERBS).join(', ')}` : `did you mean ${meant}?`
  return `${JSON.stringify(word)} is no verb; ${hint}`
}
