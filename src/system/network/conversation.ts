import { setImmediate } from 'node:timers/promises'
import {
  ACK,
  attributesIn,
  DONE,
  DUMP,
  DUMP_INTERRUPTED,
  ERROR,
  errnoIn,
  type Message,
  message,
  messagesIn,
  REQUEST,
  textOf,
} from '#system/netlink/message.ts'
import type { HeldNamespace } from '#system/netlink/namespace.ts'
import { type NetlinkSocket, openNetlink } from '#system/netlink/socket.ts'
import { codeOf, refusal } from './refusal.ts'

// A message to the kernel's links, addresses, routes or connections → its answer, or a NetworkRefused with the kernel's own reason. The
// kernel answers within send and recv, so each of these is over when it returns.

/** Without what makes it a message among others. */
export interface RouteRequest {
  readonly type: number
  readonly flags?: number
  /** ifinfomsg, ifaddrmsg, rtmsg, … */
  readonly header: Buffer
  readonly attributes?: readonly Buffer[]
}

export const NETLINK_ROUTE = 0
export const READ_BYTES = 32 * 1024
/** The reason in words; not our own message back; and lists that heed what is asked for. */
export const FEATURES: readonly number[] = [11, 10, 12]
/** On the ERROR message: the request does not stand in it, and attributes follow. */
const CAPPED = 0x100
const WITH_ATTRIBUTES = 0x200
/** The kernel's code and the header of the request. */
const ERROR_HEADER = 20
const LIST_ATTEMPTS = 20
/** Of messages in one send: the kernel takes 200 kB. */
const BATCH = 200

export class Conversation {
  readonly #socket: NetlinkSocket
  #sequence = 0

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  static open(namespace: HeldNamespace | undefined, protocol = NETLINK_ROUTE): Conversation {
    const where = namespace === undefined ? {} : { namespace }
    const socket = openNetlink({ protocol, features: FEATURES, readBytes: READ_BYTES, ...where })
    if (socket === undefined)
      throw refusal({ doing: 'open a netlink socket', code: 'EIO', said: 'the kernel gives none' })
    return new Conversation(socket)
  }

  /** `doing` completes "cannot …". */
  change(request: RouteRequest, doing: string): void {
    const flags = REQUEST | ACK | (request.flags ?? 0)
    for (const answer of this.#answers({ ...request, flags }, doing)) {
      const failure = failureOf(answer)
      if (failure === 'none') return
      if (failure !== undefined) throw refusal({ doing, ...failure })
    }
  }

  /** False where the kernel answers that there is none, by one of these codes. */
  deleted(request: RouteRequest, { doing, absent }: Deletion): boolean {
    try {
      this.change(request, doing)
      return true
    } catch (error) {
      if (absent.includes((error as NodeJS.ErrnoException).code ?? '')) return false
      throw error
    }
  }

  /** Many at once, on another thread. */
  async deleteAside(requests: readonly RouteRequest[], { doing, absent }: Deletion): Promise<void> {
    for (let at = 0; at < requests.length; at += BATCH) {
      const batch = requests.slice(at, at + BATCH)
      const bytes = batch.map(one => message({ ...one, flags: REQUEST, sequence: ++this.#sequence }))
      await this.#socket.sendAside(Buffer.concat(bytes))
      const failure = this.#failures().find(({ code }) => !absent.includes(code))
      if (failure !== undefined) throw refusal({ doing, ...failure })
    }
  }

  /** One object's message; undefined where the kernel has no such object. */
  one(request: RouteRequest, doing: string): Buffer | undefined {
    for (const answer of this.#answers({ ...request, flags: REQUEST }, doing)) {
      const failure = failureOf(answer)
      if (failure === undefined) return answer.body
      if (failure !== 'none' && failure.code === 'ENODEV') return undefined
      if (failure !== 'none') throw refusal({ doing, ...failure })
    }
    return undefined
  }

  /** A list that changed while it was read is read again. */
  list<T>(request: RouteRequest, doing: string, read: ReadOne<T>): readonly T[] {
    for (let attempt = 0; attempt < LIST_ATTEMPTS; attempt++) {
      const found: T[] = []
      let isWhole = true
      for (const answer of this.#answers({ ...request, flags: REQUEST | DUMP }, doing)) {
        if ((answer.flags & DUMP_INTERRUPTED) !== 0) isWhole = false
        if (isEnd(answer, doing)) break
        found.push(...foundIn(answer, doing, read))
      }
      if (isWhole) return found
    }
    throw refusal({ doing, code: 'EAGAIN', said: 'it changes all the time' })
  }

  /**
   * Once, and looked through on another thread: for a list that is long before anything in it is found. Where much is found, the
   * main thread has other turns in between. What changes meanwhile may be in it or not.
   */
  async listAside<T>(request: RouteRequest, doing: string, read: ReadOne<T>): Promise<readonly T[]> {
    const found: T[] = []
    for await (const piece of this.piecesAside(request, doing, read)) found.push(...piece)
    return found
  }

  /** The same as it is read, some hundreds at a time: what stands in a message is gone with the next piece. */
  async *piecesAside<T>(request: RouteRequest, doing: string, read: ReadOne<T>): AsyncGenerator<readonly T[]> {
    const sequence = ++this.#sequence
    await this.#socket.sendAside(message({ ...request, flags: REQUEST | DUMP, sequence }))
    let piece: T[] = []
    for (const answer of this.#received(sequence, doing)) {
      if (answer !== BETWEEN && isEnd(answer, doing)) break
      if (answer !== BETWEEN) piece.push(...foundIn(answer, doing, read))
      else {
        if (piece.length > 0) yield piece
        piece = []
        await setImmediate()
      }
    }
    if (piece.length > 0) yield piece
  }

  close(): void {
    this.#socket.close()
  }

  /** The same on another thread: after a deletion in the ruleset the kernel keeps the one that closes for 10 ms. */
  closeAside(): void {
    this.#socket.closeAside()
  }

  *#answers(request: RouteRequest & { readonly flags: number }, doing: string): Generator<Message> {
    for (const one of this.#received(this.#send(request, doing), doing)) if (one !== BETWEEN) yield one
  }

  #send(request: RouteRequest & { readonly flags: number }, doing: string): number {
    const sequence = ++this.#sequence
    const errno = this.#socket.send(message({ ...request, sequence }))
    if (errno !== 0) throw refusal({ doing, code: codeOf(errno) })
    return sequence
  }

  /** Where no ACK is asked for, the kernel answers only what it refuses. */
  #failures(): readonly Failure[] {
    const found: Failure[] = []
    for (;;) {
      const got = this.#socket.receive()
      if (got === 'nothing') return found
      const answers = got === 'overflow' ? [] : [...messagesIn(got.bytes)]
      for (const failure of answers.map(failureOf)) {
        if (failure !== undefined && failure !== 'none') found.push(failure)
      }
    }
  }

  *#received(sequence: number, doing: string): Generator<Message | typeof BETWEEN> {
    for (;;) {
      const got = this.#socket.receive()
      if (got === 'nothing' || got === 'overflow') throw refusal({ doing, code: 'EIO', said: `the kernel says ${got}` })
      for (const one of messagesIn(got.bytes)) if (one.sequence === sequence) yield one
      yield BETWEEN
    }
  }
}

/** Stands between two reads: what was read of the one before is gone with the next. */
const BETWEEN = 'between two reads'

/** A list that the kernel has given up on the way is none. */
function isEnd(answer: Message, doing: string): boolean {
  if (answer.type !== DONE) return false
  const errno = errnoIn(answer)
  if (errno !== 0) throw refusal({ doing, code: codeOf(errno) })
  return true
}

function foundIn<T>(answer: Message, doing: string, read: ReadOne<T>): readonly T[] {
  const failure = failureOf(answer)
  if (failure === undefined) return read(answer.body)
  if (failure === 'none') return []
  throw refusal({ doing, ...failure })
}

export interface Deletion {
  readonly doing: string
  /** How the kernel answers that there is none. */
  readonly absent: readonly string[]
}

/** What one message of a list holds. */
type ReadOne<T> = (body: Buffer) => readonly T[]

export interface Failure {
  readonly code: string
  readonly said?: string
}

/** `none` is the kernel's ACK; undefined for a message that is no answer of this kind. */
export function failureOf(answer: Message): Failure | 'none' | undefined {
  const { type, flags, body } = answer
  if (type !== ERROR) return undefined
  const errno = errnoIn(answer)
  if (errno === 0) return 'none'
  const code = codeOf(errno)
  if ((flags & WITH_ATTRIBUTES) === 0 || (flags & CAPPED) === 0) return { code }
  const said = new Map(attributesIn(body, ERROR_HEADER)).get(1)
  return said === undefined ? { code } : { code, said: textOf(said) }
}
