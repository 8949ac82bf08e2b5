import { setImmediate } from 'node:timers/promises'
import { libc } from '#system/netlink/libc.ts'
import type { HeldNamespace } from '#system/netlink/namespace.ts'
import { NETFILTER } from '#system/netlink/nfnetlink.ts'
import { type Address, FAMILIES, type Family, familyOf } from '#values/address.ts'
import type { ConnectionTable } from './connections.ts'
import { Conversation, type RouteRequest } from './conversation.ts'
import { hold } from './hold.ts'
import { deletionsOf, listConnections } from './messages/connection-messages.ts'
import { readSetting } from './settings.ts'

// Addresses → the connections the kernel tracks for them, gone. The kernel walks all its connections to find some, so those who
// ask while it walks are served together by the next walk.

/** Undefined where this process has no FFI. */
export function netlinkConnections(namespace?: string): ConnectionTable | undefined {
  return libc() && inWalks(addresses => forgetAll(namespace, addresses))
}

/** One walk after the other, each for all who have asked until it begins. */
export function inWalks(walk: (addresses: readonly Address[]) => Promise<void>): ConnectionTable {
  let waiting = new Set<Address>()
  let next: Promise<void> | undefined
  let last: Promise<unknown> = Promise.resolve()
  const begin = async (): Promise<void> => {
    // What the caller does next comes first.
    await setImmediate()
    const addresses = [...waiting]
    waiting = new Set()
    next = undefined
    await walk(addresses)
  }
  return {
    forget(addresses) {
      for (const address of addresses) waiting.add(address)
      next ??= last.then(begin)
      last = next.catch(() => {})
      return next
    },
  }
}

async function forgetAll(path: string | undefined, addresses: readonly Address[]): Promise<void> {
  const namespace = path === undefined ? undefined : hold(path)
  try {
    if (isTracking(namespace)) await forgetTracked(namespace, addresses)
  } finally {
    namespace?.close()
  }
}

/** Nothing is walked where there is nothing, as on a node without a service proxy. */
function isTracking(namespace: HeldNamespace | undefined): boolean {
  const count = readSetting(namespace, 'netfilter/nf_conntrack_count')
  return count !== undefined && count !== '0'
}

async function forgetTracked(namespace: HeldNamespace | undefined, addresses: readonly Address[]): Promise<void> {
  const conversation = Conversation.open(namespace, NETFILTER)
  try {
    for (const family of FAMILIES) await forgetFamily(conversation, family, addresses)
  } finally {
    conversation.closeAside()
  }
}

async function forgetFamily(conversation: Conversation, family: Family, all: readonly Address[]): Promise<void> {
  const addresses = all.filter(address => familyOf(address) === family)
  if (addresses.length === 0) return
  const doing = `forget connections of ${addresses.join(', ')}`
  const read = deletionsOf(addresses)
  for (const request of listConnections(family, addresses)) {
    const found: readonly RouteRequest[] = await conversation.listAside(request, doing, read)
    await conversation.deleteAside(found, { doing, absent: ['ENOENT'] })
  }
}
