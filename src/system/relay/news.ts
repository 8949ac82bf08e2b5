// What the relay tells of itself, for the log.

export type RelayNews =
  | { readonly what: 'ready'; readonly workers: number; readonly limit: number; readonly connections: number }
  | { readonly what: 'crashed'; readonly worker: number; readonly error: Error }
  | { readonly what: 'replaced'; readonly worker: number; readonly listeners: number }
  | { readonly what: 'not opened'; readonly name: string; readonly why: string }
  /** So many clients were turned away within a second or so. */
  | { readonly what: 'full'; readonly refused: number; readonly limit: number; readonly connections: number }
  /** No endpoint answered this client, nor perhaps others of the same second. */
  | { readonly what: 'unreachable'; readonly name: string; readonly client: string }
