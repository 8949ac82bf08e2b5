import type { Commit, Touch } from '#system/ports.ts'
import { attributesIn, messagesIn, textOf } from './message.ts'
import { DELCHAIN, DELRULE, DELSET, DELSETELEM, DELTABLE, HEADER, NETFILTER, NEWGEN, NFTABLES } from './nfnetlink.ts'
import { type NetlinkSocket, openNetlink } from './socket.ts'

// The kernel's ruleset → its transactions as they happen: which program made each, and what it touched.

/** NFNLGRP_NFTABLES is 7. */
export const NFTABLES_GROUP = 1 << (7 - 1)
/** No message has this type. */
const NONE = -1

const KINDS: readonly Touch['kind'][] = [
  ...(['table', 'other', 'table'] as const),
  ...(['chain', 'other', 'chain'] as const),
  ...(['rule', 'other', 'rule'] as const),
  ...(['set', 'other', 'set'] as const),
  ...(['element', 'other', 'element'] as const),
]

const DELETIONS: ReadonlySet<number> = new Set([DELTABLE, DELCHAIN, DELRULE, DELSET, DELSETELEM])

const FAMILIES: Readonly<Record<number, Touch['family']>> = { 2: 'ip', 10: 'ip6' }

export interface ListeningOptions {
  /** A load of 33,000 rules in a second, read every 250 ms, fits into 8 MB; 32 are for busier machines, and not taken before. */
  readonly receiveBytes?: number
  readonly namespace?: string
  /** Which touches a commit keeps; all others are dropped as they are read. */
  readonly concerns: (family: Touch['family'], table: string) => boolean
}

/** Everything since the last call, in order; `gap` where the kernel dropped messages, so nothing is known of that time. */
export interface Heard {
  readonly commits: readonly Commit[]
  readonly gap: boolean
}

export class RulesetListener {
  readonly #socket: NetlinkSocket
  readonly #concerns: ListeningOptions['concerns']
  #touches: Touch[] = []
  /** The message before: its type, and its bytes up to the name of what it is about. */
  #lastWhat = NONE
  #lastStart = Buffer.alloc(0)

  constructor(socket: NetlinkSocket, concerns: ListeningOptions['concerns']) {
    this.#socket = socket
    this.#concerns = concerns
  }

  /** Listens from now on; undefined where netlink cannot be had. */
  static open({ receiveBytes = 32 << 20, namespace, concerns }: ListeningOptions): RulesetListener | undefined {
    const where = namespace === undefined ? {} : { namespace }
    const socket = openNetlink({ protocol: NETFILTER, groups: NFTABLES_GROUP, receiveBytes, ...where })
    return socket && new RulesetListener(socket, concerns)
  }

  hear(): Heard {
    const commits: Commit[] = []
    let gap = false
    for (let got = this.#socket.receive(); got !== 'nothing'; got = this.#socket.receive()) {
      if (got !== 'overflow') for (const { type, body } of messagesIn(got.bytes)) this.#take(type, body, commits)
      else {
        gap = true
        this.#begin()
      }
    }
    return { commits, gap }
  }

  close(): void {
    this.#socket.close()
  }

  #take(type: number, body: Buffer, commits: Commit[]): void {
    if (type >> 8 !== NFTABLES) return
    const what = type & 0xff
    if (what === NEWGEN) {
      commits.push({ ...generationIn(body), touches: this.#touches })
      this.#begin()
    } else this.#touch(what, body)
  }

  /** A transaction. */
  #begin(): void {
    this.#touches = []
    this.#lastWhat = NONE
  }

  /** A chain's rules come one after another: they are one touch, known by their first bytes before anything is read. */
  #touch(what: number, body: Buffer): void {
    if (what === this.#lastWhat && startsWith(body, this.#lastStart)) return
    const kind = KINDS[what] ?? 'other'
    const verb = DELETIONS.has(what) ? 'delete' : 'add'
    const family = FAMILIES[body[0]!] ?? 'other'
    let table = ''
    let name = ''
    let end = HEADER
    for (const [type, value] of attributesIn(body, HEADER)) {
      if (type === 1) table = textOf(value)
      else if (type === NAME_AT[kind]) name = textOf(value)
      if (type === 1 || type === NAME_AT[kind]) end = value.byteOffset - body.byteOffset + value.length
      if (type >= 3) break
    }
    this.#lastWhat = what
    this.#lastStart = Buffer.from(body.subarray(0, end))
    if (!this.#concerns(family, table)) return
    this.#touches.push({ family, table, verb, kind, name })
  }
}

/** The attribute in which messages name what they are about. */
const NAME_AT: Readonly<Record<Touch['kind'], number>> = { table: 0, chain: 3, rule: 2, set: 2, element: 2, other: 0 }

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0
}

function generationIn(body: Buffer): Pick<Commit, 'generation' | 'process' | 'program'> {
  let [generation, process, program] = [0, 0, '']
  for (const [type, value] of attributesIn(body, HEADER)) {
    if (type === 1) generation = value.readUInt32BE()
    else if (type === 2) process = value.readUInt32BE()
    else if (type === 3) program = textOf(value)
  }
  return { generation, process, program }
}
