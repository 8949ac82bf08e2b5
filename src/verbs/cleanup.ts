import { type Invocation, start } from '#command-line/start.ts'
import { removeLeftovers } from '#proxy/modes/leftovers.ts'
import type { Remaining } from '#proxy/modes/leftovers-removal.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// cleanup, and run --cleanup: this node without any trace of a service proxy.

export function main(argv: readonly string[]): Promise<number> {
  return start('cleanup', argv, cleanup)
}

/** Fails only where something is left, and says what and why in one line. */
export async function cleanup({ log }: Pick<Invocation, 'log'>): Promise<number> {
  const { removed, remains } = await removeLeftovers({ kernel: hostKernel(), clock: systemClock })
  for (const { tool, what, count } of removed) log.info(0, 'Removed', { tool, what, count })
  if (remains.length > 0) throw new Error(`encountered an error while tearing down rules: ${listed(remains)}`)
  return 0
}

const LISTED = 10

/** What is left for the same reason stands together. */
function listed(remains: readonly Remaining[]): string {
  const byReason = Map.groupBy(remains.slice(0, LISTED), ({ why }) => why)
  const parts = [...byReason].map(([why, alike]) => `${alike.map(({ what }) => what).join(', ')} (${why})`)
  const more = remains.length - LISTED
  return `${parts.join('; ')}${more > 0 ? `; and ${more} more` : ''}`
}
