import type { Step } from './guide.ts'

// A pod may count as ready a moment before it listens, and before the rules of each node lead to it; so a step that asks it asks again.
// Flags may be such that it is never answered: then the tour says so soon.

const WITHIN_MS = 20_000

export function answeredBy(deployment: 'db' | 'web'): Pick<Step, 'until' | 'withinMs'> {
  return { until: answer => answer.startsWith(`${deployment}-`), withinMs: WITHIN_MS }
}
