// What happened to the relay, for the log.

export type RelayEvent =
  | { readonly what: 'ready'; readonly workers: number; readonly limit: number; readonly connections: number }
  /** The endpoints a listener hands its clients to from now on. */
  | { readonly what: 'endpoints'; readonly name: string; readonly endpoints: readonly string[] }
  | { readonly what: 'crashed'; readonly worker: number; readonly error: Error }
  /** A worker that did nothing for so long was ended. */
  | { readonly what: 'hung'; readonly worker: number; readonly silentMs: number }
  | { readonly what: 'replaced'; readonly worker: number; readonly listeners: number }
  | { readonly what: 'not opened'; readonly name: string; readonly why: string }
  /** So many clients were turned away within a second or so. */
  | { readonly what: 'full'; readonly refused: number; readonly limit: number; readonly connections: number }
  /** No endpoint answered this client, nor perhaps others of the same second. */
  | { readonly what: 'unreachable'; readonly name: string; readonly client: string }
