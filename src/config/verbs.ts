// The verbs, each with what stands after it and what it does: help, the command line and main.ts all read this list.

interface VerbText {
  readonly operands: readonly string[]
  readonly does: string
}

export const VERBS = {
  run: { operands: [], does: 'proxy Services on this node (what happens without a verb)' },
  render: { operands: [], does: 'print what would be given to the kernel for the objects in files' },
  verify: { operands: [], does: 'compare the kernel with what it should hold' },
  explain: { operands: ['FROM', 'TO:PORT'], does: 'follow a packet through the rules, step by step' },
  cleanup: { operands: [], does: 'remove every rule a service proxy has left on this node' },
  setup: { operands: [], does: "do only what needs all of root's rights" },
} as const satisfies Readonly<Record<string, VerbText>>

export type Verb = keyof typeof VERBS

export function isVerb(word: string): word is Verb {
  return Object.hasOwn(VERBS, word)
}
