import type { DhcpRecord } from '#ipam/leases/dhcp/dhcp-book.ts'
import { type DhcpParts, dhcpMachine, releaseLease } from './client.ts'

// A granted address whose pod is gone without a DEL → forgotten here, and the server hears of it where it can be reached.

export async function endRecord({ owner }: DhcpRecord, parts: DhcpParts): Promise<void> {
  const book = await parts.dhcpLeases?.()
  const removed = await book?.remove(owner)
  if (removed !== undefined && parts.packets !== undefined) await releaseLease(removed, await dhcpMachine(parts))
}
