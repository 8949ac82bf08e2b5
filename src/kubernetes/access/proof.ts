import type { Clock, Kernel } from '#system/ports.ts'
import type { Files } from './login.ts'

// What a request shows the API server of who sends it, and what the machine must give for that.

export interface Proof {
  readonly authorization?: string
  readonly cert?: string
  readonly key?: string
}

export interface ProofParts {
  readonly files: Files
  readonly kernel: Kernel
  readonly clock: Clock
  /** What a plugin finds in its environment, as it would if it were run by hand: many look for HOME or AWS_PROFILE. */
  readonly env: Readonly<Record<string, string | undefined>>
  /** How long a plugin may take. */
  readonly limitMs: number
}
