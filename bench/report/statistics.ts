// Samples → the few numbers a table shows. A sample that is null took longer than was waited for.

export type Sample = number | null

export interface Spread {
  readonly p50: number
  readonly p99: number
}

/** The sample at this part of the sorted samples; null where it was waited for in vain, undefined where there is none. */
export function quantile(samples: readonly Sample[], part: number): Sample | undefined {
  const sorted = samples.toSorted((a, b) => (a ?? Number.POSITIVE_INFINITY) - (b ?? Number.POSITIVE_INFINITY))
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]
}

export function median(samples: readonly Sample[]): Sample | undefined {
  return quantile(samples, 0.5)
}

/** The largest; null is larger than any number. */
export function largest(samples: readonly Sample[]): Sample | undefined {
  return quantile(samples, 1)
}

/** Of numbers alone, at least one. */
export function spreadOf(samples: readonly number[]): Spread {
  return { p50: quantile(samples, 0.5)!, p99: quantile(samples, 0.99)! }
}
