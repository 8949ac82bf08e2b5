// The verbs, each imported only when it is asked for.

export interface VerbModule {
  /** Resolves to the exit status. */
  readonly main: (argv: readonly string[]) => Promise<number>
}

export const VERBS = {
  run: () => import('./run.ts'),
  cleanup: () => import('./cleanup.ts'),
  setup: () => import('./setup.ts'),
  render: () => import('./render.ts'),
  verify: () => import('./verify.ts'),
  explain: () => import('./explain.ts'),
  sandbox: () => import('./sandbox/sandbox.ts'),
} as const satisfies Readonly<Record<string, () => Promise<VerbModule>>>

export type Verb = keyof typeof VERBS

export function isVerb(word: string): word is Verb {
  return Object.hasOwn(VERBS, word)
}
