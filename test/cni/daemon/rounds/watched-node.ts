import { AddressEvents } from '#cni/daemon/events/address-events.ts'
import { watchLeaks } from '#cni/daemon/rounds/leak-watch.ts'
import { pagedRound } from '#cni/leaks/round.ts'
import { takeBack } from '#cni/leaks/take-back.ts'
import type { LeakSettings } from '#config/settings.ts'
import type { WrittenEvent } from '#kubernetes/event-writer.ts'
import { LeakMetrics } from '#telemetry/numbers/leaks.ts'
import { captureLog } from '../../../support/captured-log.ts'
import { PaperNode } from '../../leaks/paper-node.ts'

// The part of the daemon that looks for leaks, over a node on paper.

export class WatchedNode {
  readonly node = new PaperNode()
  readonly metrics = new LeakMetrics()
  readonly events: WrittenEvent[] = []
  readonly #stop = new AbortController()
  readonly #log = captureLog(2)
  #watching = Promise.resolve()

  start(settings: Partial<LeakSettings> = {}): void {
    const { node, metrics } = this
    const sender = { send: (event: WrittenEvent) => void this.events.push(event), close: async () => {} }
    const reporter = () => ({ nodeName: 'node-1', hostname: 'host-1', now: node.clock.now() })
    this.#watching = watchLeaks({
      settings: { found: 'report', periodMs: 60_000, ...settings },
      book: async () => node.leaks,
      round: visit => pagedRound(node.parts, visit),
      takeBack: attachment => takeBack(attachment, node.takeBackParts),
      apiFailure: () => 'cannot reach https://10.0.0.1:6443',
      clock: node.clock,
      events: new AddressEvents(sender, reporter),
      log: this.#log.log,
      observed: numbers => (numbers === 'failed' ? metrics.roundFailed() : metrics.round(numbers)),
      signal: this.#stop.signal,
    })
  }

  /** What was logged since it was last asked. */
  lines(): readonly string[] {
    return (this.#log.lines as string[]).splice(0)
  }

  /** Without those that are 0. */
  numbers(): readonly string[] {
    return this.metrics
      .text()
      .split('\n')
      .filter(line => line !== '' && !line.startsWith('#') && !line.endsWith(' 0') && !line.includes('_seconds'))
      .map(line => line.replace('switchyard_', ''))
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#watching
    this.node.close()
  }
}
