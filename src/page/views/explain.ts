// Where a packet goes, and why: the question of a form, and its answer.

export interface ExplainSource {
  /** What the form has where nothing was asked. */
  readonly from: () => string
  ask(question: ExplainQuestion): Promise<ExplainAnswer>
}

export interface ExplainQuestion {
  readonly from: string
  readonly to: string
}

export type ExplainAnswer =
  | { readonly ok: false; readonly problem: string }
  /** Several where a Service is named without its port. */
  | { readonly ok: true; readonly targets: readonly ExplainedTarget[] }

export interface ExplainedTarget {
  readonly from: string
  readonly to: string
  readonly ways: readonly ExplainedWay[]
  /** Why it is refused, or what it goes to where that is no Service. */
  readonly reason?: string
  /** What an operator should look at. */
  readonly findings: readonly string[]
}

export interface ExplainedWay {
  /** From 0 to 1: of all such connections. */
  readonly share: number
  readonly steps: readonly { readonly at: string; readonly did: string; readonly rule: string }[]
  /** Where it ends, as the end of a sentence that begins with "It": `arrives at 10.244.1.2:3306`. */
  readonly end: string
  readonly arrives: boolean
  /** What the endpoint sees as the source, and why. */
  readonly source?: string
}
