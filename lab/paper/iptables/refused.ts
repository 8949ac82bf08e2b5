// The refusals of iptables: exit code and message.

/**
 * usage: the words make no sense (exit 2). bare: the same, said without the program's name. table: the table does not
 * allow it (exit 1).
 */
export type RefusalKind = 'usage' | 'bare' | 'table'

export class Refused extends Error {
  readonly kind: RefusalKind

  constructor(kind: RefusalKind, text: string) {
    super(text)
    this.name = 'Refused'
    this.kind = kind
  }
}

export function usage(text: string): Refused {
  return new Refused('usage', text)
}

/** The real tool may well know this; the paper kernel does not imitate it, and fails instead of guessing. */
export function notUnderstood(what: string): Refused {
  return new Refused('usage', `${what}: not understood by the paper kernel`)
}

export const NO_CHAIN = 'No chain/target/match by that name'
export const NO_RULE = 'Bad rule (does a matching rule exist in that chain?)'
