import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

// A server that says what the test says, byte for byte, where even a misbehaving API server is too well-behaved.

export interface Scripted {
  readonly url: string
  close(): Promise<void>
}

/** Called for each request; may write what it likes, when it likes. */
export type Script = (url: URL, response: ServerResponse) => unknown

export async function startScripted(script: Script): Promise<Scripted> {
  const server = createServer((request, response) => {
    response.on('error', () => {})
    void script(new URL(request.url!, 'http://scripted'), response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

export function line(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`
}

/** The end of a streamed list. */
export function listEnd(resourceVersion: string): string {
  const annotations = { 'k8s.io/initial-events-end': 'true' }
  return line('BOOKMARK', { metadata: { resourceVersion, annotations } })
}

/** Writes as fast as the client takes it; a client that goes away ends it. */
export async function writeAll(response: ServerResponse, pieces: Iterable<string>): Promise<void> {
  await pipeline(Readable.from(pieces), response, { end: false }).catch(() => {})
}
