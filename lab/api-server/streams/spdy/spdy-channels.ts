import type { IncomingMessage } from 'node:http'
import { type Duplex, PassThrough, Writable } from 'node:stream'
import { type Channels, sizeOf, type WantedChannels } from '../channels.ts'
import { controlFrame, dataFrame, FIN, ofStream, type SpdyFrame, SpdyReader, TYPE } from './frames.ts'
import { HeaderBlocks } from './header-blocks.ts'

// An upgrade to SPDY/3.1, as kubectl before 1.31 asks for it → channels: the client opens a stream for each and names it.

const PROTOCOL = 'v4.channel.k8s.io'
/** A client that does not leave when all is said. */
const LEAVE_MS = 10_000

export function isSpdy({ headers }: IncomingMessage): boolean {
  return /^spdy\/3\.1$/i.test(headers.upgrade ?? '')
}

/** Ready when the client has opened every stream that it wants. */
export async function spdyChannels(socket: Duplex, head: Buffer, wanted: WantedChannels): Promise<Channels> {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: SPDY/3.1', 'Connection: Upgrade']
  socket.write([...lines, `X-Stream-Protocol-Version: ${PROTOCOL}`, '', ''].join('\r\n'))
  const channels = new SpdyChannels(socket, wanted)
  channels.start(head)
  await channels.ready
  return channels
}

type StreamName = 'error' | 'stdin' | 'stdout' | 'stderr' | 'resize'

class SpdyChannels implements Channels {
  readonly stdin = new PassThrough()
  readonly stdout: Writable
  readonly stderr: Writable
  readonly closed: Promise<void>
  /** Also where the client leaves before. */
  readonly ready: Promise<void>
  readonly #socket: Duplex
  readonly #wanted: ReadonlySet<StreamName>
  readonly #reader = new SpdyReader()
  readonly #blocks = new HeaderBlocks()
  readonly #streams = new Map<StreamName, number>()
  readonly #listeners: ((columns: number, rows: number) => void)[] = []
  /** Frames are worked off one after the other: reading headers takes a turn of the loop. */
  #work: Promise<void> = Promise.resolve()
  #nowReady: () => void = () => {}

  constructor(socket: Duplex, { stdin, stdout, stderr, tty }: WantedChannels) {
    this.#socket = socket
    const names: readonly (StreamName | false)[] = [
      ...(['error', stdin && 'stdin', stdout && 'stdout'] as const),
      ...([stderr && !tty && 'stderr', tty && 'resize'] as const),
    ]
    this.#wanted = new Set(names.filter(name => name !== false))
    this.stdout = this.#output('stdout')
    this.stderr = this.#output('stderr')
    this.closed = new Promise(resolve => socket.once('close', () => resolve()))
    const allOpen = new Promise<void>(resolve => {
      this.#nowReady = resolve
    })
    this.ready = Promise.race([allOpen, this.closed])
    if (!stdin) this.stdin.end()
  }

  start(head: Buffer): void {
    const socket = this.#socket
    socket.on('data', chunk => this.#receive(chunk))
    socket.on('end', () => socket.end())
    socket.on('error', () => socket.destroy())
    socket.on('close', () => {
      this.#blocks.close()
      this.#endInput()
    })
    if (head.length > 0) this.#receive(head)
  }

  onResize(listener: (columns: number, rows: number) => void): void {
    this.#listeners.push(listener)
  }

  /** kubectl reads all streams to their ends, then the status, and leaves; what it has not read by an end of ours, it loses. */
  finish(status: string): void {
    for (const name of ['stdout', 'stderr'] as const) this.#end(name)
    const error = this.#streams.get('error')
    if (error !== undefined) this.#socket.write(dataFrame(error, Buffer.from(status)))
    this.#end('error')
    const timer = setTimeout(() => this.#socket.destroy(), LEAVE_MS).unref()
    this.#socket.once('close', () => clearTimeout(timer))
  }

  #output(name: 'stdout' | 'stderr'): Writable {
    return new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        const stream = this.#streams.get(name)
        if (stream === undefined || this.#socket.destroyed) return done()
        if (this.#socket.write(dataFrame(stream, chunk))) return done()
        const go = () => {
          this.#socket.off('drain', go).off('close', go)
          done()
        }
        this.#socket.once('drain', go).once('close', go)
      },
    })
  }

  #end(name: StreamName): void {
    const stream = this.#streams.get(name)
    if (stream !== undefined) this.#socket.write(dataFrame(stream, Buffer.alloc(0), FIN))
  }

  #receive(chunk: Buffer): void {
    for (const frame of this.#reader.push(chunk)) {
      this.#work = this.#work.then(() => this.#take(frame)).catch(() => void this.#socket.destroy())
    }
  }

  async #take(frame: SpdyFrame): Promise<void> {
    if (frame.is === 'data') this.#data(frame.stream, frame.data, frame.flags)
    else if (frame.type === TYPE.synStream) await this.#open(frame.data)
    else if (frame.type === TYPE.ping) this.#socket.write(controlFrame(TYPE.ping, frame.data))
    else if (frame.type === TYPE.goAway) this.#socket.end()
    else if (frame.type === TYPE.rstStream && frame.data.readUInt32BE(0) === this.#streams.get('stdin'))
      this.#endInput()
  }

  async #open(data: Buffer): Promise<void> {
    const stream = data.readUInt32BE(0) & 0x7fffffff
    const headers = await this.#blocks.read(data.subarray(10))
    this.#streams.set(headers.streamtype as StreamName, stream)
    const reply = await this.#blocks.write({})
    this.#socket.write(controlFrame(TYPE.synReply, ofStream(stream, reply)))
    if ([...this.#wanted].every(name => this.#streams.has(name))) this.#nowReady()
  }

  #data(stream: number, data: Buffer, flags: number): void {
    if (stream === this.#streams.get('stdin')) {
      if (data.length > 0 && !this.stdin.writableEnded) this.stdin.write(data)
      if ((flags & FIN) !== 0) this.#endInput()
    } else if (stream === this.#streams.get('resize')) this.#resize(data.toString())
  }

  #resize(text: string): void {
    for (const line of text.split('\n')) {
      const size = sizeOf(line)
      if (size !== undefined) for (const listener of this.#listeners) listener(size.columns, size.rows)
    }
  }

  #endInput(): void {
    if (!this.stdin.writableEnded) this.stdin.end()
  }
}
