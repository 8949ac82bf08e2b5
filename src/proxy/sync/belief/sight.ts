import type { Clock, RulesetDump } from '#system/ports.ts'
import type { Fingerprints } from './fingerprints.ts'

// What a sync may know of the kernel without running a program.

export interface SyncSight {
  /** True where every commit to the ruleset is heard, so that what is believed is what the kernel has. */
  readonly isExact: boolean
  dump(): RulesetDump | undefined
}

export interface SyncOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly sight?: SyncSight
  readonly fingerprints?: Fingerprints | undefined
}

export const BLIND: SyncSight = { isExact: false, dump: () => undefined }
