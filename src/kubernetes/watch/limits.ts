// How long, how often, how much. The values are measured ones; tests scale them down.

export interface WatchLimits {
  /** Until an answer begins. */
  readonly headersMs: number
  /** Between two pieces of a list. */
  readonly listIdleMs: number
  /** Until a streamed list has ended: an API server that does not know such lists never ends one. */
  readonly streamedListMs: number
  /** Between two pieces of a watch; bookmarks come every 60 s, so more than that means a dead connection. */
  readonly silenceMs: number
  /** The API server is asked to end a watch after a random time in this range, in seconds. */
  readonly watchSeconds: readonly [number, number]
  /** A watch that ended sooner, and without an event, did not work. */
  readonly shortWatchMs: number
  readonly pageSize: number
  /** An object has at most a few megabytes. */
  readonly lineBytes: number
  readonly backoffMs: number
  readonly backoffMaxMs: number
  /** However long the API server asks us to wait. */
  readonly retryAfterMaxMs: number
  /** Until an API server is asked again for what it does not have or show. */
  readonly refusedMs: number
  /** How often a line that cannot be read is asked for again before everything is. */
  readonly malformedTries: number
  /** The same notice is logged at most this often. */
  readonly noticeEveryMs: number
}

export const LIMITS: WatchLimits = {
  headersMs: 30_000,
  listIdleMs: 30_000,
  streamedListMs: 60_000,
  silenceMs: 100_000,
  watchSeconds: [300, 600],
  shortWatchMs: 1_000,
  pageSize: 500,
  lineBytes: 32 << 20,
  backoffMs: 800,
  backoffMaxMs: 10_000,
  retryAfterMaxMs: 60_000,
  refusedMs: 600_000,
  malformedTries: 3,
  noticeEveryMs: 60_000,
}
