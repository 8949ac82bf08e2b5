import type { Clock, Kernel } from '#system/ports.ts'
import type { Files } from './login.ts'

// What authenticates a request, and what is needed to get it.

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
