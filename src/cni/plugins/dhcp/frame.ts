import type { Address } from '#values/address.ts'
import { addressAt, addressBytes } from './message.ts'

// A DHCP message inside UDP, IPv4 and Ethernet ⇄ bytes. Frames of our own, because a client without an address has no UDP
// socket that could send or receive.

export interface DhcpFrame {
  readonly to: FrameEnd
  readonly from: FrameEnd
  readonly payload: Buffer
}

export interface FrameEnd {
  /** Six bytes. */
  readonly hardware: Buffer
  /** Absent for 0.0.0.0. */
  readonly address?: Address
}

export const EVERYONE: FrameEnd = { hardware: Buffer.alloc(6, 0xff), address: '255.255.255.255' as Address }

const [CLIENT_PORT, SERVER_PORT] = [68, 67]
const IPV4 = 0x0800
const UDP = 17
const [ETHERNET_BYTES, IP_BYTES, UDP_BYTES] = [14, 20, 8]

/** From the client's port to the server's. */
export function frameBytes({ to, from, payload }: DhcpFrame): Buffer {
  const udpLength = UDP_BYTES + payload.length
  const bytes = Buffer.alloc(ETHERNET_BYTES + IP_BYTES + udpLength)
  to.hardware.copy(bytes, 0)
  from.hardware.copy(bytes, 6)
  bytes.writeUInt16BE(IPV4, 12)
  const ip = bytes.subarray(ETHERNET_BYTES)
  ip.set([0x45, 0x10])
  ip.writeUInt16BE(IP_BYTES + udpLength, 2)
  ip.set([64, UDP], 8)
  if (from.address !== undefined) addressBytes(from.address).copy(ip, 12)
  if (to.address !== undefined) addressBytes(to.address).copy(ip, 16)
  ip.writeUInt16BE(checksum([ip.subarray(0, IP_BYTES)]), 10)
  const udp = ip.subarray(IP_BYTES)
  udp.writeUInt16BE(CLIENT_PORT, 0)
  udp.writeUInt16BE(SERVER_PORT, 2)
  udp.writeUInt16BE(udpLength, 4)
  payload.copy(udp, UDP_BYTES)
  const pseudo = Buffer.concat([ip.subarray(12, 20), Buffer.from([0, UDP, udpLength >> 8, udpLength & 0xff])])
  udp.writeUInt16BE(checksum([pseudo, udp]) || 0xffff, 6)
  return bytes
}

/** To the client's port; undefined for every other packet. The checksum is the card's business: veth leaves it out. */
export function frameOf(bytes: Buffer): DhcpFrame | undefined {
  if (bytes.length < ETHERNET_BYTES + IP_BYTES + UDP_BYTES || bytes.readUInt16BE(12) !== IPV4) return undefined
  const ip = bytes.subarray(ETHERNET_BYTES)
  const ipBytes = (ip[0]! & 0xf) * 4
  const isFragment = (ip.readUInt16BE(6) & 0x3fff) !== 0
  if (ip[0]! >> 4 !== 4 || ipBytes < IP_BYTES || ip[9] !== UDP || isFragment) return undefined
  const udp = ip.subarray(ipBytes, ip.readUInt16BE(2))
  if (udp.length < UDP_BYTES || udp.readUInt16BE(2) !== CLIENT_PORT) return undefined
  const length = udp.readUInt16BE(4)
  if (length < UDP_BYTES || length > udp.length) return undefined
  return {
    to: end(bytes.subarray(0, 6), addressAt(ip, 16)),
    from: end(bytes.subarray(6, 12), addressAt(ip, 12)),
    payload: Buffer.from(udp.subarray(UDP_BYTES, length)),
  }
}

function end(hardware: Buffer, address: Address | undefined): FrameEnd {
  return { hardware: Buffer.from(hardware), ...(address !== undefined && { address }) }
}

/** The ones' complement sum of 16-bit words. */
function checksum(parts: readonly Buffer[]): number {
  let sum = 0
  for (const part of parts) {
    for (let at = 0; at < part.length; at += 2) sum += (part[at]! << 8) | (part[at + 1] ?? 0)
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
  return ~sum & 0xffff
}
