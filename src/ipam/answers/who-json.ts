import type { PastLease } from '#ipam/leases/records/history-rows.ts'
import { type AddressFacts, holdersAt, placesOf } from './who.ts'

// Who has an address, or had it → JSON for programs.

export function whoJson(facts: AddressFacts): string {
  const { address, at, historyStart } = facts
  const forgotten = historyStart === undefined ? {} : { knownSince: time(historyStart) }
  if (at !== undefined) {
    return shown({ address, at: time(at), holders: holdersAt(facts, at).map(holderJson), ...forgotten })
  }
  const now = placesOf(facts).map(({ network, row }) => ({
    ...{ network: network.network, status: row.status, reason: row.reason, outside: row.isOutside },
    ...(row.lease !== undefined && holderJson(row.lease)),
    ...(row.lease?.until !== undefined && { until: time(row.lease.until) }),
  }))
  return shown({ address, now, holders: facts.holders.map(holderJson), ...forgotten })
}

type AnyLease = Omit<PastLease, 'family' | 'set'>

function holderJson({ network, pod, uid, container, ifname, netns, namespaceId, boot, at, ended, why }: AnyLease) {
  return {
    ...{ network, pod, uid, container, ifname: ifname || undefined, netns, namespaceId, boot: boot || undefined },
    ...{ since: time(at), ended: ended === undefined ? undefined : time(ended), why },
  }
}

function shown(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
}

function time(at: number): string {
  return new Date(at).toISOString()
}
