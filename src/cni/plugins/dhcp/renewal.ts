import type { CniRoute } from '#cni/protocol/result.ts'
import type { DhcpLease, DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import { NetworkRefused } from '#system/network/network.ts'
import { PacketsRefused } from '#system/packets/packet-link.ts'
import { configOf, type DhcpMachine, type LinkAt, placeOf, releaseLease, speakingOn } from './client.ts'
import { resultOf } from './dhcp-lease.ts'
import type { Exchanged } from './exchange.ts'

// Leases that are due → renewed by their server, bound again by any, expired, or had back; and what became of each.

export interface Renewal {
  readonly record: DhcpRecord
  /**
   * `expired`: the interface is down, because its address may be another client's by now. `restored`: it has its address again. `ended`:
   * the pod is gone, and the server heard of it where it could.
   */
  readonly became: 'renewed' | 'rebound' | 'unanswered' | 'expired' | 'restored' | 'still-expired' | 'ended'
  readonly why?: string
}

/** How long one exchange is waited for. */
const PATIENCE_MS = 10_000
const LEAST_PAUSE_MS = 60_000
const EXPIRED_PAUSE_MS = 30_000

/**
 * All at once: each waits for a server of its own, and `report` hears what became of it. Where one fails, this does, too, after all
 * have ended: no lease is in two exchanges.
 */
export async function renewDue(
  machine: DhcpMachine,
  report: (renewal: Renewal) => void,
  signal?: AbortSignal,
): Promise<void> {
  const due = await machine.book.due(machine.clock.now())
  const outcomes = await Promise.allSettled(
    due.map(async record => {
      const renewal = await renewed(record, machine, signal)
      if (renewal !== undefined) report(renewal)
    }),
  )
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** Undefined where a DEL came in between. */
async function renewed(record: DhcpRecord, machine: DhcpMachine, signal?: AbortSignal): Promise<Renewal | undefined> {
  const at = await placeOf(record, machine).catch((error: Error) => error)
  if (at === undefined) return ended(record, machine)
  if (at instanceof Error) return waiting(record, machine, at.message)
  try {
    const ask = record.state === 'expired' ? hadBack : extended
    const next = await ask({ record, at, machine, ...(signal && { signal }) })
    // What was cut short is no answer. What was answered, or done to the interface, is written down all the same.
    if (signal?.aborted && (next.became === 'unanswered' || next.became === 'still-expired')) return undefined
    if (await machine.book.replace(record, next.record)) return next
    await givenAgain(next, machine)
    return undefined
  } catch (error) {
    if (!(error instanceof NetworkRefused || error instanceof PacketsRefused)) throw error
    if (error.code === 'ENODEV' || error.code === 'ENOENT') return ended(record, machine)
    return waiting(record, machine, error.message)
  }
}

const GRANTED: readonly Renewal['became'][] = ['renewed', 'rebound', 'restored']

/** A DEL has released it before the server heard the question: it is the server's again, unless an ADD was given it meanwhile. */
async function givenAgain({ record, became }: Renewal, machine: DhcpMachine): Promise<void> {
  if (!GRANTED.includes(became)) return
  const held = await machine.book.held(record.owner)
  if (held?.lease.address !== record.lease.address) await releaseLease(record, machine)
}

async function ended(record: DhcpRecord, machine: DhcpMachine): Promise<Renewal | undefined> {
  const removed = await machine.book.remove(record.owner)
  if (removed === undefined) return undefined
  const isSaid = await releaseLease(removed, machine)
  return {
    record: removed,
    became: 'ended',
    why: isSaid ? 'its interface is gone' : 'its interface is gone, and the server could not be reached',
  }
}

async function waiting(record: DhcpRecord, { book, clock }: DhcpMachine, why: string): Promise<Renewal | undefined> {
  const next = { ...record, dueAt: Math.floor(clock.now()) + LEAST_PAUSE_MS }
  return (await book.replace(record, next)) ? { record: next, became: 'unanswered', why } : undefined
}

interface Asking {
  readonly record: DhcpRecord
  readonly at: LinkAt
  readonly machine: DhcpMachine
  readonly signal?: AbortSignal
}

/** First the server that gave it, from `rebindAt` on any; at its end the address is given up. */
async function extended({ record, at, machine, signal }: Asking): Promise<Renewal> {
  const { lease } = record
  const now = machine.clock.now()
  if (now >= lease.expiresAt) return expired(record, at, machine, 'no server extended it in time')
  const isRebinding = now >= lease.rebindAt
  const patienceMs = Math.min(PATIENCE_MS, lease.expiresAt - now)
  const config = configOf(record)
  const got = await speakingOn(machine, { at, config, ...(signal && { signal }) }, exchange =>
    isRebinding ? exchange.rebind(lease, patienceMs) : exchange.renew(lease, patienceMs),
  ).catch(refusedWhereDown)
  if (got.outcome === 'refused') return expired(record, at, machine, got.why)
  if (got.outcome !== 'granted')
    return { record: { ...record, dueAt: retryAt(lease, machine.clock.now()) }, became: 'unanswered', why: got.why }
  if (got.lease.address !== lease.address)
    return expired(record, at, machine, `the server now gives ${got.lease.address}`)
  return { record: bound(record, got.lease), became: isRebinding ? 'rebound' : 'renewed' }
}

/** As a daemon leaves it that is killed before it has written down that the lease is lost. */
function refusedWhereDown(error: unknown): Exchanged {
  if (error instanceof PacketsRefused && error.code === 'ENETDOWN')
    return { outcome: 'refused', why: 'its interface is down' }
  throw error
}

/** Half of what is left, but not more often than each minute (RFC 2131, 4.4.5). */
function retryAt({ rebindAt, expiresAt }: DhcpLease, now: number): number {
  const until = now < rebindAt ? rebindAt : expiresAt
  return Math.floor(Math.min(until, now + Math.max((until - now) / 2, LEAST_PAUSE_MS)))
}

async function expired(record: DhcpRecord, at: LinkAt, machine: DhcpMachine, why: string): Promise<Renewal> {
  await onLink(at, machine, pod => pod.changeLink(at.name, { state: 'down' }))
  const dueAt = Math.floor(machine.clock.now()) + EXPIRED_PAUSE_MS
  return { record: { ...record, state: 'expired', dueAt }, became: 'expired', why }
}

/** The same address or none: the pod, and all who know it, have it by that address. */
async function hadBack({ record, at, machine, signal }: Asking): Promise<Renewal> {
  await onLink(at, machine, pod => pod.changeLink(at.name, { state: 'up' }))
  const got = await speakingOn(machine, { at, config: configOf(record), ...(signal && { signal }) }, exchange =>
    exchange.reclaim(record.lease, PATIENCE_MS),
  )
  if (got.outcome === 'granted' && got.lease.address === record.lease.address) {
    await onLink(at, machine, pod => layRoutes(pod, at.name, resultOf(got.lease, record.priority).routes))
    return { record: { ...bound(record, got.lease), state: 'bound' }, became: 'restored' }
  }
  const still = await expired(record, at, machine, whyNot(got))
  return { ...still, became: 'still-expired' }
}

function whyNot(got: Exchanged): string {
  return got.outcome === 'granted' ? `the server now gives ${got.lease.address}` : got.why
}

/** They went when the link went down. */
async function layRoutes(pod: PodNetwork, link: string, routes: readonly CniRoute[]): Promise<void> {
  for (const { dst, gw, scope, priority } of routes) {
    const route = {
      destination: dst,
      link,
      ...(gw !== undefined && { gateway: gw }),
      ...(scope !== undefined && { scope }),
      ...(priority !== undefined && { priority }),
    }
    await pod.addRoute(route).catch(error => {
      if (!(error instanceof NetworkRefused) || error.code !== 'EEXIST') throw error
    })
  }
}

type PodNetwork = Awaited<ReturnType<DhcpMachine['networks']['open']>>

async function onLink(
  at: LinkAt,
  { networks }: DhcpMachine,
  change: (pod: PodNetwork) => Promise<void>,
): Promise<void> {
  const pod = await networks.open(at.namespace)
  try {
    await change(pod)
  } finally {
    pod.close()
  }
}

function bound(record: DhcpRecord, lease: DhcpLease): DhcpRecord {
  return { ...record, lease, dueAt: lease.renewAt }
}
