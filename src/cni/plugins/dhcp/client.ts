import { CniError, CODE } from '#cni/protocol/error.ts'
import type { DhcpBook, DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import type { PacketLink } from '#system/packets/packet-link.ts'
import type { Clock } from '#system/ports.ts'
import type { PluginParts } from '../plugin.ts'
import { DhcpExchange } from './exchange.ts'
import type { DhcpConfig } from './options.ts'

// An interface of a pod, or the bridge below it → exchanges with the DHCP servers on that link.

export interface DhcpMachine extends Pick<PluginParts, 'networks' | 'files' | 'clock'> {
  readonly packets: NonNullable<PluginParts['packets']>
  readonly book: DhcpBook
}

export type DhcpParts = Pick<PluginParts, 'networks' | 'files' | 'clock' | 'packets' | 'dhcpLeases'>

/** Fails where this process cannot speak DHCP. */
export async function dhcpMachine(parts: DhcpParts): Promise<DhcpMachine> {
  const { networks, files, clock, packets } = parts
  const book = await parts.dhcpLeases?.()
  if (packets === undefined || book === undefined) {
    const details = 'it takes raw sockets by node:ffi, which this Node.js refuses'
    throw new CniError(CODE.notAvailable, 'no address can be asked of a DHCP server', details)
  }
  return { networks, files, clock, packets, book }
}

export interface LinkAt {
  readonly name: string
  /** A path; the node's own namespace without one. */
  readonly namespace?: string
}

/** The socket is closed when `speak` is done: an open one would keep a namespace alive whose pod is gone. */
export async function speakingOn<T>(
  { packets, clock }: Pick<DhcpMachine, 'packets' | 'clock'>,
  { at, config, signal }: { readonly at: LinkAt; readonly config: SpeakingConfig; readonly signal?: AbortSignal },
  speak: (exchange: DhcpExchange) => Promise<T> | T,
): Promise<T> {
  const link = await packets.open(at.name, at.namespace)
  try {
    return await speak(exchangeOn(link, clock, { config, ...(signal !== undefined && { signal }) }))
  } finally {
    link.close()
  }
}

type SpeakingConfig = Pick<DhcpConfig, 'wanted' | 'provided'>

function exchangeOn(
  link: PacketLink,
  clock: Clock,
  more: { readonly config: SpeakingConfig; readonly signal?: AbortSignal },
): DhcpExchange {
  return new DhcpExchange({ link, clock, random: () => crypto.getRandomValues(new Uint32Array(1))[0]!, ...more })
}

/** What it said when it got the lease: a server knows the client by this. */
export function configOf({ wanted, provided }: DhcpRecord): SpeakingConfig {
  return { wanted, provided: new Map(provided.map(([code, hex]) => [code, Buffer.from(hex, 'hex')])) }
}

/**
 * The pod's own namespace, at the path the runtime gave; undefined where it is gone, or another has its path. Fails where that
 * cannot be said.
 */
export async function placeOf(
  { owner, boot }: DhcpRecord,
  { files }: Pick<DhcpMachine, 'files'>,
): Promise<LinkAt | undefined> {
  const { netns, namespaceId, ifname } = owner
  if (netns === undefined || boot !== (await files.bootId())) return undefined
  return (await files.namespaceId(netns)) === namespaceId ? { name: ifname, namespace: netns } : undefined
}

/**
 * The server hears that the address is free: through the pod's interface, or where that is gone, through the bridge it was
 * on. True where it was said; a server that missed it waits for the end of the lease.
 */
export async function releaseLease(record: DhcpRecord, machine: DhcpMachine): Promise<boolean> {
  const own = await placeOf(record, machine).catch(() => undefined)
  const places = [
    ...(own === undefined ? [] : [own]),
    ...(record.nodeLink === undefined ? [] : [{ name: record.nodeLink }]),
  ]
  for (const at of places) {
    try {
      await speakingOn(machine, { at, config: configOf(record) }, exchange => exchange.release(record.lease))
      return true
    } catch {
      // The next place may do.
    }
  }
  return false
}
