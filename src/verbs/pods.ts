import { servePods } from '#cni/daemon/service.ts'
import { start } from '#command-line/start.ts'
import { systemClock } from '#system/clock.ts'
import { collectEarly } from '#system/heap.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { onSignals } from '#system/signals.ts'

// pods: CNI calls of this node's runtime in, the real kernel out.

export function main(argv: readonly string[]): Promise<number> {
  return start('pods', argv, async ({ settings, log }) => {
    collectEarly()
    const stop = new AbortController()
    const end = (): void => stop.abort()
    const signals = onSignals({ SIGTERM: end, SIGINT: end })
    try {
      await servePods({ settings, kernel: hostKernel(), clock: systemClock, log, signal: stop.signal })
      return 0
    } finally {
      signals.off()
    }
  })
}
