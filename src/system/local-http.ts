import { readlink } from 'node:fs/promises'
import { createServer, request } from 'node:http'
import { placeSocket } from './placed-socket.ts'
import { type HttpResponder, respond } from './sockets.ts'

// HTTP over a unix socket that root alone may connect to: the questions that verbs on a node ask its agent.

export interface LocalHttpListener {
  close(): Promise<void>
}

/** Rejects where another process serves, or no socket can be made. It does not keep the process alive. */
export async function serveLocalHttp(path: string, answer: HttpResponder): Promise<LocalHttpListener> {
  const server = createServer((incoming, response) => void respond(answer, incoming, response))
  const { takeAway } = await placeSocket(server, path)
  server.unref()
  return {
    async close() {
      await takeAway()
      const closed = new Promise<void>(resolve => server.close(() => resolve()))
      server.closeAllConnections()
      await closed
    },
  }
}

export interface LocalQuestion {
  readonly socket: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly withinMs: number
}

/** The parsed JSON of the answer. Rejects where nothing serves there (`code` says why), or the answer is no success. */
export function askLocalHttp({ socket, method, path, withinMs }: LocalQuestion): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: socket, method, path, timeout: withinMs }, response => {
      const pieces: Buffer[] = []
      response.on('data', (piece: Buffer) => pieces.push(piece))
      response.once('error', reject)
      response.once('end', () => {
        const text = Buffer.concat(pieces).toString()
        if (response.statusCode !== 200) reject(new Error(`it answered ${response.statusCode}: ${text.trim()}`))
        else resolve(Promise.try(() => JSON.parse(text)))
      })
    })
    asked.once('error', reject)
    asked.once('timeout', () => asked.destroy(new Error(`no answer within ${withinMs / 1000} s`)))
    asked.end()
  })
}

/** The number of this process's network namespace; undefined where /proc does not say. */
export async function networkNamespace(): Promise<string | undefined> {
  const name = await readlink('/proc/self/ns/net').catch(() => '')
  return /\[(\d+)\]/.exec(name)?.[1]
}
