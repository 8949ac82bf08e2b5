import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { type Duplex, PassThrough, Writable } from 'node:stream'
import { type Channels, sizeOf, type WantedChannels } from '../channels.ts'
import { FrameReader, frameBytes, OPCODE } from './frames.ts'

// An upgrade to a WebSocket with the protocol v5 or v4.channel.k8s.io → channels: the first byte of each message says which one it is of.

const PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io']
const CHANNEL = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
const CLOSE_NORMALLY = Buffer.from([0x03, 0xe8])

/** The newest protocol that both know; undefined where there is none. */
export function websocketProtocol({ headers }: IncomingMessage): string | undefined {
  const offered = String(headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map(it => it.trim())
  return PROTOCOLS.find(protocol => offered.includes(protocol))
}

export function isWebsocket({ headers }: IncomingMessage): boolean {
  return /^websocket$/i.test(headers.upgrade ?? '')
}

export function websocketChannels(
  { headers }: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  { protocol, wanted }: { readonly protocol: string; readonly wanted: WantedChannels },
): Channels {
  const accept = createHash('sha1').update(`${headers['sec-websocket-key']}${GUID}`).digest('base64')
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
  socket.write(
    [...lines, `Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Protocol: ${protocol}`, '', ''].join('\r\n'),
  )
  const channels = new WebsocketChannels(socket, wanted)
  channels.start(head)
  return channels
}

class WebsocketChannels implements Channels {
  readonly stdin = new PassThrough()
  readonly stdout: Writable
  readonly stderr: Writable
  readonly closed: Promise<void>
  readonly #socket: Duplex
  readonly #reader = new FrameReader()
  readonly #listeners: ((columns: number, rows: number) => void)[] = []
  #message: Buffer[] = []

  constructor(socket: Duplex, wanted: WantedChannels) {
    this.#socket = socket
    this.stdout = this.#output(CHANNEL.stdout, wanted.stdout)
    this.stderr = this.#output(CHANNEL.stderr, wanted.stderr && !wanted.tty)
    this.closed = new Promise(resolve => socket.once('close', () => resolve()))
    if (!wanted.stdin) this.stdin.end()
  }

  start(head: Buffer): void {
    const socket = this.#socket
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('end', () => socket.end())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#endInput())
    if (head.length > 0) this.#receive(head)
  }

  onResize(listener: (columns: number, rows: number) => void): void {
    this.#listeners.push(listener)
  }

  finish(status: string): void {
    this.#send(CHANNEL.error, Buffer.from(status))
    this.#socket.end(frameBytes(OPCODE.close, CLOSE_NORMALLY))
  }

  #output(channel: number, isWanted: boolean): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (!isWanted || this.#socket.destroyed || this.#send(channel, chunk)) return done()
        const go = () => {
          this.#socket.off('drain', go).off('close', go)
          done()
        }
        this.#socket.once('drain', go).once('close', go)
      },
    })
  }

  #send(channel: number, data: Buffer): boolean {
    return this.#socket.write(frameBytes(OPCODE.binary, Buffer.concat([Buffer.from([channel]), data])))
  }

  #receive(chunk: Buffer): void {
    try {
      for (const { opcode, isLast, payload } of this.#reader.push(chunk)) {
        if (opcode === OPCODE.close) this.#socket.end(frameBytes(OPCODE.close, payload.subarray(0, 2)))
        else if (opcode === OPCODE.ping) this.#socket.write(frameBytes(OPCODE.pong, payload))
        else if (opcode !== OPCODE.pong) this.#part(payload, isLast)
      }
    } catch {
      this.#socket.destroy()
    }
  }

  #part(payload: Buffer, isLast: boolean): void {
    this.#message.push(payload)
    if (!isLast) return
    const message = Buffer.concat(this.#message)
    this.#message = []
    const data = message.subarray(1)
    if (message[0] === CHANNEL.stdin && !this.stdin.writableEnded) this.stdin.write(data)
    else if (message[0] === CHANNEL.close && data[0] === CHANNEL.stdin) this.#endInput()
    else if (message[0] === CHANNEL.resize) this.#resize(data.toString())
  }

  #resize(text: string): void {
    const size = sizeOf(text)
    if (size !== undefined) for (const listener of this.#listeners) listener(size.columns, size.rows)
  }

  #endInput(): void {
    if (!this.stdin.writableEnded) this.stdin.end()
  }
}
