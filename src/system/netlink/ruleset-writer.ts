import type { ChainAt, RulesetChange } from '#system/ports.ts'
import { ACK, attribute, ERROR, errnoIn, message, messagesIn, nest, REQUEST, textAttribute } from './message.ts'
import { DELCHAIN, DELRULE, DELSETELEM, FAMILY_NUMBERS, NETFILTER, NEWSETELEM, NFTABLES } from './nfnetlink.ts'
import { type NetlinkSocket, openNetlink } from './socket.ts'

// Changes of the ruleset → one transaction of the kernel, without a process. It costs 0.2 ms, and a process 5 and more.

const BATCH_BEGIN = 0x10
const BATCH_END = 0x11
const CREATE = 0x400
const EXCLUSIVE = 0x200

/**
 * Keeps its socket: at the end of one, the kernel waits until the memory of what was deleted is free, ten milliseconds and more.
 */
export class RulesetWriter {
  readonly #socket: NetlinkSocket
  #sequence = 0

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
  }

  /** Undefined where netlink cannot be had. */
  static open(namespace?: string): RulesetWriter | undefined {
    const where = namespace !== undefined && { namespace }
    const socket = openNetlink({ protocol: NETFILTER, readBytes: READ_BYTES, ...where })
    return socket && new RulesetWriter(socket)
  }

  /** All of them or none. False where the kernel refused one: a tool then says why. */
  change(changes: readonly RulesetChange[]): boolean {
    const first = this.#sequence + 1
    this.#sequence += changes.length
    const batch = [control(BATCH_BEGIN), ...changes.map((change, i) => written(change, first + i)), control(BATCH_END)]
    return this.#socket.send(Buffer.concat(batch)) === 0 && this.#acknowledged(first) === changes.length
  }

  /** The kernel answers within send and recv: one answer for each change, and an error where it refused. */
  #acknowledged(first: number): number {
    let count = 0
    for (;;) {
      const got = this.#socket.receive()
      if (got === 'nothing') return count
      if (got === 'overflow') return Number.NaN
      for (const answer of messagesIn(got.bytes)) {
        if (answer.type !== ERROR || answer.sequence < first) continue
        count += errnoIn(answer) === 0 ? 1 : Number.NaN
      }
    }
  }

  close(): void {
    this.#socket.closeAside()
  }
}

/** An answer repeats the change it refuses. */
const READ_BYTES = 32 * 1024

function control(type: number): Buffer {
  return message({ type, flags: REQUEST, sequence: 0, header: Buffer.from([0, 0, 0, NFTABLES]) })
}

function written(change: RulesetChange, sequence: number): Buffer {
  const { what, flags = 0, attributes } = parts(change)
  return message({
    type: (NFTABLES << 8) | what,
    flags: REQUEST | ACK | flags,
    sequence,
    header: Buffer.from([FAMILY_NUMBERS[change.at.family], 0, 0, 0]),
    attributes: [textAttribute(1, change.at.table), ...attributes],
  })
}

interface ChangeParts {
  readonly what: number
  readonly flags?: number
  /** Behind the name of the table, which is the first of all of them. */
  readonly attributes: readonly Buffer[]
}

function parts(change: RulesetChange): ChangeParts {
  switch (change.do) {
    case 'add element':
      return { what: NEWSETELEM, flags: CREATE | EXCLUSIVE, attributes: elementOf(change.at.set, added(change)) }
    case 'delete element':
      return { what: DELSETELEM, attributes: elementOf(change.at.set, [keyOf(change.key)]) }
    case 'delete rule':
      return { what: DELRULE, attributes: [inChain(change.at), attribute(3, change.handle)] }
    // Without a number, all rules of the chain are meant.
    case 'flush chain':
      return { what: DELRULE, attributes: [inChain(change.at)] }
    case 'delete chain':
      return { what: DELCHAIN, attributes: [textAttribute(3, change.at.chain)] }
  }
}

function inChain({ chain }: ChainAt): Buffer {
  return textAttribute(2, chain)
}

function elementOf(set: string, parts: readonly Buffer[]): readonly Buffer[] {
  return [textAttribute(2, set), nest(3, [nest(1, parts)])]
}

function keyOf(key: Buffer): Buffer {
  return nest(1, [attribute(1, key)])
}

const GOTO = -4

function added({ key, goto, comment }: Extract<RulesetChange, { do: 'add element' }>): readonly Buffer[] {
  const code = Buffer.alloc(4)
  code.writeInt32BE(GOTO)
  const verdict = nest(2, [attribute(1, code), textAttribute(2, goto)])
  return [keyOf(key), nest(2, [verdict]), attribute(6, userData(comment))]
}

/** As nft writes a comment: its type 0, its length, and a text with its closing zero. */
function userData(comment: string): Buffer {
  const text = Buffer.from(`${comment}\0`)
  return Buffer.concat([Buffer.from([0, text.length]), text])
}
