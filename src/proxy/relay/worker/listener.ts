import type { Spot } from '#proxy/relay/messages.ts'
import type { Budget } from './budget.ts'
import type { Chooser } from './chooser.ts'

// A listener as a worker has it.

export interface Door {
  readonly chooser: Chooser
  /** Nobody new is let in. */
  close(): void
}

export interface DoorParts {
  readonly spot: Spot
  readonly chooser: Chooser
  readonly budget: Budget
  readonly udpIdleMs: number
  /** Told of a client that had to be sent away because nobody answered. */
  readonly unreachable: (client: string) => void
}
