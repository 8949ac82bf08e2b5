import type { ChainAt } from '#system/ports.ts'
import { DONE, DUMP, DUMP_INTERRUPTED, ERROR, errnoIn, message, messagesIn, REQUEST } from './message.ts'
import { FAMILY_NUMBERS, NFTABLES } from './nfnetlink.ts'
import type { NetlinkSocket } from './socket.ts'

// One question to the kernel about its ruleset → the messages of its answer.

export class NetlinkRefused extends Error {
  override readonly name = 'NetlinkRefused'
  readonly errno: number

  constructor(asked: string, errno: number) {
    super(`netlink refused ${asked} with errno ${errno}`)
    this.errno = errno
  }
}

export interface RulesetQuestion {
  /** A message type. */
  readonly what: number
  readonly family: ChainAt['family'] | 'unspecified'
  readonly attributes?: readonly Buffer[]
}

/** A list of a hundred thousand chains takes half a second, in which others commit. */
const ATTEMPTS = 5
const INTERRUPTED = 4
const OVERFLOW = 105

export class RulesetQuestions {
  readonly #socket: NetlinkSocket
  #sequence = 0

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** The one message of the answer; undefined where there is none. Its bytes are good until the next question. */
  one(question: RulesetQuestion): Buffer | undefined {
    let found: Buffer | undefined
    this.#ask(question, 0, body => {
      found = body
    })
    return found
  }

  /** All messages of a list that no commit has changed meanwhile, each into what is made for one attempt. */
  all<T>(question: RulesetQuestion, fresh: () => T, take: (into: T, body: Buffer) => void): T {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const into = fresh()
      const end = this.#ask(question, DUMP, body => take(into, body))
      if (end === 'whole') return into
    }
    throw new NetlinkRefused(`message ${question.what}: others commit all the time`, INTERRUPTED)
  }

  #ask(
    { what, family, attributes = [] }: RulesetQuestion,
    flags: number,
    take: (body: Buffer) => void,
  ): 'whole' | 'interrupted' {
    const sequence = ++this.#sequence
    const header = Buffer.from([family === 'unspecified' ? 0 : FAMILY_NUMBERS[family], 0, 0, 0])
    const type = (NFTABLES << 8) | what
    const errno = this.#socket.send(message({ type, flags: REQUEST | flags, sequence, header, attributes }))
    if (errno !== 0) throw new NetlinkRefused(`message ${what}`, errno)
    for (let end: 'whole' | 'interrupted' = 'whole'; ; ) {
      const read = this.#received({ what, sequence, flags }, take)
      if (read.isInterrupted) end = 'interrupted'
      if (read.isEnd) return end
    }
  }

  /** Takes the messages of one read. That a list was interrupted may stand on its end alone. */
  #received(
    { what, sequence, flags }: { readonly what: number; readonly sequence: number; readonly flags: number },
    take: (body: Buffer) => void,
  ): { readonly isEnd: boolean; readonly isInterrupted: boolean } {
    const got = this.#socket.receive()
    // The kernel answers within send and recv: without an answer there is none to come.
    if (got === 'nothing') throw new NetlinkRefused(`message ${what}`, 0)
    if (got === 'overflow') throw new NetlinkRefused(`message ${what}`, OVERFLOW)
    let isInterrupted = false
    for (const one of messagesIn(got.bytes)) {
      if (one.sequence !== sequence) continue
      if ((one.flags & DUMP_INTERRUPTED) !== 0) isInterrupted = true
      if (one.type === DONE || one.type === ERROR) {
        const code = errnoIn(one)
        if (code !== 0) throw new NetlinkRefused(`message ${what}`, code)
        return { isEnd: true, isInterrupted }
      }
      if (!isInterrupted) take(one.body)
      if (flags === 0) return { isEnd: true, isInterrupted }
    }
    return { isEnd: false, isInterrupted }
  }
}
