import type { Socket } from 'node:net'
import type { Answer } from '#lab/network/pod/messages.ts'
import { eachLine } from '#system/processes/lines.ts'

// A connection that is no HTTP → each line answered as the lab's other listeners do. A client that says nothing gets the name.

/** `nc` waits for what comes: a client that has not said anything for so long is greeted. */
const GREETING_MS = 300

export interface LineOptions {
  readonly name: string
  /** What the client has said so far. */
  readonly first: Buffer
  readonly said: (text: string) => void
}

export function answerLines(socket: Socket, { name, first, said }: LineOptions): void {
  const peer = { address: plainAddress(socket.remoteAddress), port: socket.remotePort ?? 0 }
  const local = { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 }
  eachLine(socket, text => {
    said(text)
    socket.write(answerText({ name, peer, local, text }))
  })
  socket.unshift(first)
}

/** Calls `speaks` with the first bytes of the client; until then, it may be greeted. */
export function firstBytes(socket: Socket, name: string, speaks: (bytes: Buffer) => void): void {
  const greeting = setTimeout(() => socket.write(`${name}\n`), GREETING_MS)
  socket.once('close', () => clearTimeout(greeting))
  socket.once('end', () => {
    clearTimeout(greeting)
    if (socket.bytesWritten === 0) socket.write(`${name}\n`)
    socket.end()
  })
  socket.once('data', (bytes: Buffer) => {
    clearTimeout(greeting)
    socket.removeAllListeners('end')
    socket.pause()
    speaks(bytes)
  })
}

export function answerText(answer: Answer): string {
  return `${JSON.stringify(answer)}\n`
}

/** An IPv4 address that an IPv6 socket sees as `::ffff:10.244.1.2`. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/, '')
}
