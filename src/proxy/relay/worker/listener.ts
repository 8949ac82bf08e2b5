import type { Binding } from '#proxy/relay/messages.ts'
import type { Budget } from './budget.ts'
import type { Chooser } from './chooser.ts'

// A listener in one worker, whichever its protocol.

export interface WorkerListener {
  readonly chooser: Chooser
  /** No new client is let in from when it resolves. */
  close(): void | Promise<void>
}

export interface ListenerParts {
  readonly binding: Binding
  readonly chooser: Chooser
  readonly budget: Budget
  readonly udpIdleMs: number
  /** Called with a client that was sent away because no endpoint answered. */
  readonly unreachable: (client: string) => void
}
