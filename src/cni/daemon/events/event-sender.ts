import { EventWriter, type Fate, type WrittenEvent } from '#kubernetes/event-writer.ts'
import type { Clock } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { NodeApi } from '../rounds/node-api.ts'

// Events → the API server; how it goes is logged when it begins and when it ends.

export interface EventSender {
  /** Returns at once. */
  send(event: WrittenEvent): void
  close(): Promise<void>
}

export interface EventSenderParts {
  readonly api: Pick<NodeApi, 'transport'>
  readonly clock: Clock
  readonly log: Log
}

/** Of an API server that is away the Events are kept for an hour, which is how long it keeps them itself. */
const TRIES = 360

export class ApiEventSender implements EventSender {
  /** A field with this name: the build finds its calls. */
  readonly log: Log
  readonly #writer: EventWriter
  #trouble: 'none' | 'waiting' | 'dropping' = 'none'

  constructor({ api, clock, log }: EventSenderParts) {
    this.log = log
    this.#writer = new EventWriter({
      transport: { post: async request => (await api.transport()).post(request) },
      clock,
      limits: { tries: TRIES },
      onDelay: ({ why, waiting }) => this.#waits(why, waiting),
      onFate: fate => this.#became(fate),
    })
  }

  send(event: WrittenEvent): void {
    this.#writer.send(event)
  }

  close(): Promise<void> {
    return this.#writer.close()
  }

  #waits(why: string, waiting: number): void {
    if (this.#trouble === 'none') this.log.warning('Kubernetes Events wait', { err: why, waiting, next: NEXT })
    if (this.#trouble === 'none') this.#trouble = 'waiting'
  }

  #became(fate: Fate): void {
    if (fate.result === 'sent') {
      if (this.#trouble !== 'none') this.log.info(0, 'Kubernetes Events are taken again')
      this.#trouble = 'none'
      return
    }
    const { reason, note } = fate.event
    const pairs = { reason, note, why: fate.why }
    // The log has said what it says; how the API server refuses is the same for all.
    if (this.#trouble === 'dropping') this.log.info(2, 'Kubernetes Event was not sent', pairs)
    else this.log.warning('Kubernetes Event was not sent', pairs)
    this.#trouble = 'dropping'
  }
}

const NEXT = 'tried again every 10s; up to 100 are kept for an hour'

/** The daemon works without an API server. */
export function eventSender({
  api,
  clock,
  log,
}: Partial<EventSenderParts> & Omit<EventSenderParts, 'api'>): EventSender {
  if (api !== undefined) return new ApiEventSender({ api, clock, log })
  log.info(0, 'No Kubernetes Events are made', {
    why: 'no API server is configured',
    next: 'this log and /metrics say the same',
  })
  return { send: () => {}, close: async () => {} }
}
