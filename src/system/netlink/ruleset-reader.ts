import type { ChainAt, RuleJump, RulesetDump, SetAt, SetElement } from '#system/ports.ts'
import { attributesIn, textAttribute, textOf } from './message.ts'
import { GETCHAIN, GETGEN, GETRULE, GETSETELEM, GETTABLE, HEADER, NETFILTER } from './nfnetlink.ts'
import { RuleDigest } from './rule-digest.ts'
import { targetsOf } from './rule-targets.ts'
import { elementsIn } from './ruleset-elements.ts'
import { NetlinkRefused, RulesetQuestions } from './ruleset-questions.ts'
import { type NetlinkSocket, openNetlink } from './socket.ts'

// Questions about the kernel's ruleset → answers, without a process.

export class RulesetReader implements RulesetDump {
  readonly #socket: NetlinkSocket
  readonly #questions: RulesetQuestions

  constructor(socket: NetlinkSocket) {
    this.#socket = socket
    this.#questions = new RulesetQuestions(socket)
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
    const answer = this.#questions.one({ what: GETGEN, family: 'unspecified' })
    for (const [type, value] of attributesIn(answer ?? NO_ATTRIBUTES, HEADER)) {
      if (type === 1) return value.readUInt32BE()
    }
    throw new Error('the kernel gave no generation of its ruleset')
  }

  /** The names of a family's tables. */
  tables(family: ChainAt['family']): ReadonlySet<string> {
    return this.#questions.all({ what: GETTABLE, family }, names, (found, body) => found.add(textsOf(body, 1, 1)[0]))
  }

  hasChain({ family, table, chain }: ChainAt): boolean {
    const attributes = [textAttribute(1, table), textAttribute(3, chain)]
    return unlessAbsent(false, () => this.#questions.one({ what: GETCHAIN, family, attributes }) !== undefined)
  }

  /** The kernel always lists those of all tables. */
  chains(family: ChainAt['family']): ReadonlyMap<string, ReadonlySet<string>> {
    const none = (): Map<string, Set<string>> => new Map()
    return this.#questions.all({ what: GETCHAIN, family }, none, (found, body) => {
      const [table, name] = textsOf(body, 1, 3)
      const chains = found.get(table)
      if (chains === undefined) found.set(table, new Set([name]))
      else chains.add(name)
    })
  }

  /** The kernel lists the rules of an absent chain as those of an empty one. */
  fingerprint(at: ChainAt): number | undefined {
    const digest = this.#questions.all(
      rulesIn(at),
      () => new RuleDigest(),
      (found, body) => found.rule(body),
    )
    return digest.rules > 0 || this.hasChain(at) ? digest.value : undefined
  }

  targets(at: ChainAt): ReadonlySet<string> {
    return this.#questions.all(rulesIn(at), names, (found, body) => {
      for (const target of targetsOf(body)) found.add(target)
    })
  }

  jumps(at: ChainAt): readonly RuleJump[] {
    const none = (): RuleJump[] => []
    return this.#questions.all(rulesIn(at), none, (found, body) => {
      const handle = attributesIn(body, HEADER).find(([type]) => type === HANDLE)?.[1]
      // The bytes belong to the socket, which uses them for the next message.
      if (handle !== undefined) found.push(...targetsOf(body).map(target => ({ target, handle: Buffer.from(handle) })))
    })
  }

  elements({ family, table, set }: SetAt): readonly SetElement[] {
    const attributes = [textAttribute(1, table), textAttribute(2, set)]
    const none = (): SetElement[] => []
    return unlessAbsent<readonly SetElement[]>([], () =>
      this.#questions.all({ what: GETSETELEM, family, attributes }, none, (found, body) => {
        for (const element of elementsIn(body)) found.push(element)
      }),
    )
  }

  close(): void {
    this.#socket.close()
  }
}

/** Of a rule. */
const HANDLE = 3
const NO_ATTRIBUTES = Buffer.alloc(HEADER)

function names(): Set<string> {
  return new Set()
}

function rulesIn({ family, table, chain }: ChainAt) {
  return { what: GETRULE, family, attributes: [textAttribute(1, table), textAttribute(2, chain)] }
}

/** ENOENT. */
const ABSENT = 2

function unlessAbsent<T>(absent: T, ask: () => T): T {
  try {
    return ask()
  } catch (error) {
    if (error instanceof NetlinkRefused && error.errno === ABSENT) return absent
    throw error
  }
}

function textsOf(body: Buffer, first: number, second: number): readonly [string, string] {
  const texts: [string, string] = ['', '']
  for (const [type, value] of attributesIn(body, HEADER)) {
    if (type === first) texts[0] = textOf(value)
    if (type === second) texts[1] = textOf(value)
    if (type >= second) break
  }
  return texts
}
