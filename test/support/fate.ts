import type { End, Path } from '#proxy/modes/trace.ts'
import type { Fate } from './first-packet.ts'

export type { Fate } from './first-packet.ts'

// The paths of a trace → the packet's ends with the share of each, as the oracle writes them.

export function fateOf(paths: readonly Pick<Path, 'end' | 'share'>[]): Fate {
  const fate = new Map<string, number>()
  for (const { end, share } of paths) fate.set(endText(end), (fate.get(endText(end)) ?? 0) + share)
  return fate
}

/** The kernel keeps probabilities in units of 1/2³¹, so shares may differ by so little. */
export function sameFate(a: Fate, b: Fate): boolean {
  return a.size === b.size && [...a].every(([end, share]) => Math.abs((b.get(end) ?? 0) - share) < 1e-6)
}

function endText(end: End): string {
  const name = end.to === 'endpoint' ? end.endpoint : end.to
  return 'masqueraded' in end && end.masqueraded ? `${name} masqueraded` : name
}
