import { setTimeout as sleep } from 'node:timers/promises'
import { ACK, message, messagesIn, REQUEST } from '#system/netlink/message.ts'
import type { HeldNamespace } from '#system/netlink/namespace.ts'
import { type NetlinkSocket, openNetlink } from '#system/netlink/socket.ts'
import { type Failure, FEATURES, failureOf, NETLINK_ROUTE, READ_BYTES } from './conversation.ts'
import { deletedLink, isGone } from './messages/link-messages.ts'
import { refusal } from './refusal.ts'

// A link's number → the link gone. The kernel announces that it is after some 1.5 ms, and holds the thread that asked for it 15
// ms more, until no processor can still have hold of its memory (rcu_barrier). That thread is not ours: our main thread goes on
// with the announcement, and several deletions wait side by side.

export interface DeletionOptions extends DeletedLink {
  readonly namespace: HeldNamespace | undefined
}

export interface DeletedLink {
  readonly index: number
  readonly doing: string
}

const LINK_EVENTS = 1
const SEQUENCE = 1
const RECEIVE_BYTES = 1024 * 1024
/** Far shorter than what it waits for, and far longer than a look costs. */
const LOOK_EVERY_MS = 1

/** False where there was no such link. */
export async function deleteLink({ namespace, ...link }: DeletionOptions): Promise<boolean> {
  const where = namespace === undefined ? {} : { namespace }
  const room = { receiveBytes: RECEIVE_BYTES, readBytes: READ_BYTES }
  const socket = openNetlink({ protocol: NETLINK_ROUTE, groups: LINK_EVENTS, features: FEATURES, ...room, ...where })
  if (socket === undefined)
    throw refusal({ doing: link.doing, code: 'EIO', said: 'the kernel gives no netlink socket' })
  return deleteLinkOver(socket, link)
}

/** The socket hears of links, and is closed with it. */
export async function deleteLinkOver(socket: NetlinkSocket, { index, doing }: DeletedLink): Promise<boolean> {
  try {
    const outcome = await gone(socket, index)
    if (outcome === 'gone') return true
    if (outcome.code === 'ENODEV') return false
    throw refusal({ doing, ...outcome })
  } finally {
    // The kernel may still be busy with it, which takes no part of ours.
    socket.close()
  }
}

async function gone(socket: NetlinkSocket, index: number): Promise<Failure | 'gone'> {
  const request = message({ ...deletedLink(index), flags: REQUEST | ACK, sequence: SEQUENCE })
  let end: Failure | undefined
  const ended = socket.sendAside(request).then(
    () => {
      end = { code: 'EIO', said: 'the kernel did not answer' }
    },
    (error: NodeJS.ErrnoException) => {
      end = { code: error.code ?? 'EIO' }
    },
  )
  for (;;) {
    await Promise.race([ended, sleep(LOOK_EVERY_MS)])
    // Where it has ended, its answer is there by now: this look is the last.
    const last = end
    const outcome = seen(socket, index) ?? last
    if (outcome !== undefined) return outcome
  }
}

/** What has been announced or answered up to now. */
function seen(socket: NetlinkSocket, index: number): Failure | 'gone' | undefined {
  for (;;) {
    const got = socket.receive()
    if (got === 'nothing') return undefined
    // The announcement may be among what was lost; the answer is not, it comes when there is room.
    if (got === 'overflow') continue
    for (const one of messagesIn(got.bytes)) {
      if (isGone(one.type, one.body, index)) return 'gone'
      const failure = one.sequence === SEQUENCE ? failureOf(one) : undefined
      if (failure !== undefined) return failure === 'none' ? 'gone' : failure
    }
  }
}
