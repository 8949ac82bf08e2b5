import { hash } from 'node:crypto'
import {
  attribute,
  attributesIn,
  DONE,
  DUMP,
  ERROR,
  type Message,
  message,
  messagesIn,
  REQUEST,
  textAttribute,
  textOf,
} from './message.ts'
import { FAMILY_NUMBERS, GETCHAIN, GETGEN, GETRULE, GETTABLE, HEADER, NETFILTER, NFTABLES } from './nfnetlink.ts'
import { type NetlinkSocket, openNetlink } from './socket.ts'

// Questions about the kernel's ruleset → answers, without a process. A chain costs some 17 µs, however large the ruleset.

export class NetlinkRefused extends Error {
  override readonly name = 'NetlinkRefused'
  readonly errno: number

  constructor(asked: string, errno: number) {
    super(`netlink refused ${asked} with errno ${errno}`)
    this.errno = errno
  }
}

export interface ChainAt {
  readonly family: keyof typeof FAMILY_NUMBERS
  readonly table: string
  readonly chain: string
}

export class RulesetReader {
  readonly #socket: NetlinkSocket
  #sequence = 0

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** Undefined where netlink cannot be had. */
  static open(namespace?: string): RulesetReader | undefined {
    const socket = openNetlink({ protocol: NETFILTER, ...(namespace !== undefined && { namespace }) })
    return socket && new RulesetReader(socket)
  }

  /** The network namespace of this ruleset: no other has this name until the machine starts again. */
  namespaceCookie(): string | undefined {
    return this.#socket.namespaceCookie()
  }

  /** The number of the last transaction in this network namespace. */
  generation(): number {
    for (const { body } of this.#ask(GETGEN, 0, 'unspecified', [])) {
      for (const [type, value] of attributesIn(body, HEADER)) if (type === 1) return value.readUInt32BE()
    }
    throw new Error('the kernel gave no generation of its ruleset')
  }

  /** The names of a family's tables. */
  tables(family: ChainAt['family']): ReadonlySet<string> {
    const names = new Set<string>()
    for (const { body } of this.#ask(GETTABLE, DUMP, family, [])) names.add(textsOf(body, 1, 1)[0])
    return names
  }

  hasChain({ family, table, chain }: ChainAt): boolean {
    try {
      return [...this.#ask(GETCHAIN, 0, family, [textAttribute(1, table), textAttribute(3, chain)])].length > 0
    } catch (error) {
      if (error instanceof NetlinkRefused && error.errno === ABSENT) return false
      throw error
    }
  }

  /** The names of a table's chains; none where there is no such table. */
  chains(family: ChainAt['family'], table: string): ReadonlySet<string> {
    const names = new Set<string>()
    for (const { body } of this.#ask(GETCHAIN, DUMP, family, [])) {
      const [inTable, name] = textsOf(body, 1, 3)
      if (inTable === table) names.add(name)
    }
    return names
  }

  /**
   * What the rules of a chain say, in one short text: it changes where any rule does; counters and handles do not count.
   * The kernel answers for an absent chain as for an empty one: whether it is there, `chains` knows.
   */
  fingerprint({ family, table, chain }: ChainAt): string {
    const rules: Buffer[] = []
    for (const { body } of this.#ask(GETRULE, DUMP, family, [textAttribute(1, table), textAttribute(2, chain)])) {
      rules.push(...meaningOf(body))
    }
    return hash('sha1', Buffer.concat(rules), 'base64')
  }

  close(): void {
    this.#socket.close()
  }

  *#ask(
    what: number,
    flags: number,
    family: ChainAt['family'] | 'unspecified',
    attributes: readonly Buffer[],
  ): Generator<Message> {
    const sequence = ++this.#sequence
    const header = Buffer.from([family === 'unspecified' ? 0 : FAMILY_NUMBERS[family], 0, 0, 0])
    const type = (NFTABLES << 8) | what
    const errno = this.#socket.send(message({ type, flags: REQUEST | flags, sequence, header, attributes }))
    if (errno !== 0) throw new NetlinkRefused(`message ${what}`, errno)
    for (;;) {
      const got = this.#socket.receive()
      // The kernel answers within send and recv: without an answer there is none to come.
      if (got === 'nothing') throw new NetlinkRefused(`message ${what}`, 0)
      if (got === 'overflow') throw new NetlinkRefused(`message ${what}`, OVERFLOW)
      for (const one of messagesIn(got.bytes)) {
        if (one.sequence !== sequence) continue
        if (one.type === DONE) return
        if (one.type === ERROR) {
          const code = -one.body.readInt32LE(0)
          if (code !== 0) throw new NetlinkRefused(`message ${what}`, code)
          return
        }
        yield one
        if (flags === 0) return
      }
    }
  }
}

const OVERFLOW = 105
/** ENOENT. */
const ABSENT = 2

function textsOf(body: Buffer, first: number, second: number): readonly [string, string] {
  const texts: [string, string] = ['', '']
  for (const [type, value] of attributesIn(body, HEADER)) {
    if (type === first) texts[0] = textOf(value)
    else if (type === second) texts[1] = textOf(value)
  }
  return texts
}

const EXPRESSIONS = 4
const USER_DATA = 7
const COMPAT = 5

/** Of a rule what it does: expressions without what a counter has counted, compat flags and user data (comments). */
function meaningOf(body: Buffer): readonly Buffer[] {
  const parts: Buffer[] = [RULE]
  for (const [type, value] of attributesIn(body, HEADER)) {
    if (type === EXPRESSIONS)
      for (const [, expression] of attributesIn(value, 0)) parts.push(...expressionOf(expression))
    else if (type === USER_DATA || type === COMPAT) parts.push(attribute(type, value))
  }
  return parts
}

const RULE = Buffer.from('rule\0')

function expressionOf(expression: Buffer): readonly Buffer[] {
  for (const [type, value] of attributesIn(expression, 0)) {
    if (type === 1 && textOf(value) === 'counter') return [value]
    if (type === 1) break
  }
  return [expression]
}
