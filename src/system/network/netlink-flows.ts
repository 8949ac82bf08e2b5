import { libc } from '#system/netlink/libc.ts'
import { NETFILTER } from '#system/netlink/nfnetlink.ts'
import type { FlowTable, StaleFlows } from '#system/ports.ts'
import { FAMILIES, FAMILY_LABEL, type Family } from '#values/address.ts'
import { Conversation } from './conversation.ts'
import { hold } from './hold.ts'
import { deletionsOf, listFlows } from './messages/flow-messages.ts'

// Stale flows → the connections the kernel tracks for them, gone: read in pieces, and what is stale in a piece is deleted before
// the next, so that a hundred thousand connections are neither held in memory nor looked at in one turn.

/** Undefined where this process has no FFI. */
export function netlinkFlows(namespace?: string): FlowTable | undefined {
  if (libc() === undefined) return undefined
  const tables = new Map(FAMILIES.map(family => [family, new FamilyFlows(family, namespace)]))
  return { forget: stale => tables.get(stale.family)!.forget(stale) }
}

/** Deletions have a conversation of their own: what the kernel refuses of them comes while a list is read. */
interface Conversations {
  readonly lists: Conversation
  readonly deletions: Conversation
}

class FamilyFlows {
  readonly #family: Family
  readonly #namespace: string | undefined
  /** Kept from one time to the next: where rules were just deleted, the kernel takes 10 ms to close a socket. */
  #open: Conversations | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(family: Family, namespace: string | undefined) {
    this.#family = family
    this.#namespace = namespace
  }

  forget(stale: StaleFlows): Promise<number> {
    const next = this.#last.then(() => this.#forget(stale))
    this.#last = next.catch(() => {})
    return next
  }

  async #forget(stale: StaleFlows): Promise<number> {
    this.#open ??= openedIn(this.#namespace)
    const open = this.#open
    try {
      let count = 0
      for (const list of listFlows(stale)) count += await this.#forgetListed(open, list)
      return count
    } catch (error) {
      // What is left of a list that was begun would be taken for the answer to the next question.
      this.#open = undefined
      for (const conversation of Object.values(open)) conversation.closeAside()
      throw error
    }
  }

  async #forgetListed(
    { lists, deletions }: Conversations,
    { request, stale }: ReturnType<typeof listFlows>[number],
  ): Promise<number> {
    const doing = `${stale.protocol} connections of ${FAMILY_LABEL[this.#family]}`
    let count = 0
    for await (const found of lists.piecesAside(request, `list ${doing}`, deletionsOf(stale))) {
      await deletions.deleteAside(found, { doing: `forget ${doing}`, absent: ['ENOENT'] })
      count += found.length
    }
    return count
  }
}

function openedIn(path: string | undefined): Conversations {
  const namespace = path === undefined ? undefined : hold(path)
  try {
    const lists = Conversation.open(namespace, NETFILTER)
    return { lists, deletions: Conversation.open(namespace, NETFILTER) }
  } finally {
    namespace?.close()
  }
}
