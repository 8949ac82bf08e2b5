import type { Readable, Writable } from 'node:stream'

// The streams of one exec between a client and the API server, whatever protocol carries them.

export interface Channels {
  /** Ends where the client has no more to send. */
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable
  /** The client's terminal has another size; called from the start on with every size. */
  onResize(listener: (columns: number, rows: number) => void): void
  /** The client has left, or all is said. */
  readonly closed: Promise<void>
  /** The last word: a Status, as JSON. */
  finish(status: string): void
}

/** What a client asked for when it opened the connection. */
export interface WantedChannels {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** `{"Width":80,"Height":24}`, as kubectl sends it; undefined where it is something else. */
export function sizeOf(text: string): { readonly columns: number; readonly rows: number } | undefined {
  try {
    const { Width: columns, Height: rows } = JSON.parse(text) as { readonly Width?: unknown; readonly Height?: unknown }
    return typeof columns === 'number' && typeof rows === 'number' ? { columns, rows } : undefined
  } catch {
    return undefined
  }
}
