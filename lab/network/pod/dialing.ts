import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { connect, isIPv6 } from 'node:net'
import { eachLine } from '#system/processes/lines.ts'
import { failureItem, Inbox } from './inbox.ts'
import type { Answer, ConnectOutcome, Dial, Failure } from './messages.ts'

// An address and port → a conversation: lines out, answers or failures back.

const FORBIDDEN_HOLD_MS = 20

interface Wire {
  readonly inbox: Inbox
  send(line: string): void
  hangUp(): void
}

/** A connected socket. With UDP, connecting proves nothing: only the first line shows whether the port is open. */
export class Conversation {
  readonly #wire: Wire
  #asked = 0

  constructor(wire: Wire) {
    this.#wire = wire
  }

  /** Sends a line and waits for its answer. The number in front keeps a late answer from passing for the next one's. */
  async ask(text: string, timeoutMs: number): Promise<ConnectOutcome> {
    const start = performance.now()
    const numbered = `${++this.#asked} ${text}`
    this.#wire.inbox.clear()
    this.#wire.send(numbered)
    for (;;) {
      const item = await this.#wire.inbox.next(start + timeoutMs)
      const elapsedMs = performance.now() - start
      if ('failure' in item) return { ok: false, error: item.failure, elapsedMs }
      // A pod of a cluster greets a client that was slow to speak with its name; the answer comes after that.
      if (!item.line.startsWith('{')) continue
      const answer = JSON.parse(item.line) as Answer
      if (answer.text === numbered) return { ok: true, answer: { ...answer, text }, elapsedMs }
    }
  }

  close(): void {
    this.#wire.hangUp()
  }
}

/** Opens, asks once, hangs up: the whole of what most tests want to know. */
export async function connectOnce(dial: Dial): Promise<ConnectOutcome> {
  const start = performance.now()
  const conversation = await open(dial)
  if (typeof conversation === 'string') return { ok: false, error: conversation, elapsedMs: performance.now() - start }
  const outcome = await conversation.ask('who are you?', start + dial.timeoutMs - performance.now())
  conversation.close()
  return { ...outcome, elapsedMs: performance.now() - start }
}

export async function open(dial: Dial): Promise<Conversation | Failure> {
  const wire = dial.protocol === 'tcp' ? tcpWire(dial) : udpWire(dial)
  const item = await wire.inbox.next(performance.now() + dial.timeoutMs)
  if ('line' in item) return new Conversation(wire)
  wire.hangUp()
  return item.failure
}

/** The first item of its inbox is an empty line, once it is connected. */
function tcpWire({ to, port, from, sourcePort }: Dial): Wire {
  const inbox = new Inbox()
  const socket = connect({
    host: to,
    port,
    noDelay: true,
    ...(from !== undefined && { localAddress: from }),
    ...(sourcePort !== undefined && { localPort: sourcePort }),
  })
  socket.once('connect', () => inbox.put({ line: '' }))
  socket.on('error', error => inbox.end(failureItem(error)))
  socket.on('close', () => inbox.end({ failure: 'closed' }))
  eachLine(socket, line => inbox.put({ line }))
  return {
    inbox,
    send: line => void socket.write(`${line}\n`),
    hangUp: () => {
      // Node resets a socket only once it is connected, however long that takes.
      if (socket.connecting) socket.destroy()
      // A FIN keeps a chosen source port busy for a minute (TIME_WAIT); a reset frees it for the next call.
      else if (sourcePort !== undefined) socket.resetAndDestroy()
      else socket.end()
    },
  }
}

/** The socket is connected: only then does the kernel report a "port unreachable" on it. */
function udpWire({ to, port, from, sourcePort }: Dial): Wire {
  const inbox = new Inbox()
  const socket = createSocket(isIPv6(to) ? 'udp6' : 'udp4')
  socket.on('error', error => putUdpError(inbox, error))
  socket.on('message', message => inbox.put({ line: message.toString() }))
  socket.once('connect', () => inbox.put({ line: '' }))
  const own = { port: sourcePort ?? 0, ...(from !== undefined && { address: from }) }
  socket.bind(own, () => socket.connect(port, to))
  return { inbox, send: line => sendUdp(socket, line, inbox), hangUp: () => void socket.close() }
}

/**
 * A REJECT in this host's own OUTPUT chain is reported twice: the send fails as not permitted, like a DROP, and right behind it
 * comes "port unreachable", which says more. So the first is believed only when the second does not come.
 */
function sendUdp(socket: UdpSocket, line: string, inbox: Inbox): void {
  socket.send(line, error => {
    if (error === null) return
    const hold = (error as NodeJS.ErrnoException).code === 'EPERM' ? FORBIDDEN_HOLD_MS : 0
    setTimeout(() => putUdpError(inbox, error), hold)
  })
}

/** A UDP socket outlives an ICMP error about one datagram: the next one may find a listener. */
function putUdpError(inbox: Inbox, error: Error): void {
  const item = failureItem(error)
  if (item instanceof Error) inbox.end(item)
  else inbox.put(item)
}
