import { type Address, addressFromNumber, addressNumber } from '#values/address.ts'

// A DHCP message ⇄ bytes (RFC 2131, options of RFC 2132).

export type DhcpKind = 'DISCOVER' | 'OFFER' | 'REQUEST' | 'DECLINE' | 'ACK' | 'NAK' | 'RELEASE'

export interface DhcpMessage {
  readonly kind: DhcpKind
  /** An answer has the number of its question. */
  readonly transaction: number
  readonly secondsSinceStart: number
  /** Whether the server is to broadcast its answer. */
  readonly answer: 'broadcast' | 'unicast'
  /** The address the client has, once it has one. */
  readonly clientAddress?: Address
  /** The address the server gives. */
  readonly yourAddress?: Address
  /** Six bytes. */
  readonly hardware: Buffer
  readonly options: DhcpOptions
}

export type DhcpOptions = ReadonlyMap<number, Buffer>

export const OPTION = {
  subnetMask: 1,
  routers: 3,
  hostName: 12,
  staticRoutes: 33,
  requestedAddress: 50,
  leaseSeconds: 51,
  overload: 52,
  kind: 53,
  serverId: 54,
  parameters: 55,
  problem: 56,
  renewSeconds: 58,
  rebindSeconds: 59,
  vendorClass: 60,
  clientId: 61,
  userClass: 77,
  classlessRoutes: 121,
} as const

const KINDS: Readonly<Record<DhcpKind, number>> = {
  DISCOVER: 1,
  OFFER: 2,
  REQUEST: 3,
  DECLINE: 4,
  ACK: 5,
  NAK: 6,
  RELEASE: 7,
}

const MAGIC = 0x6382_5363
const OPTIONS_AT = 240
/** Relays of old drop what is shorter. */
const LEAST_BYTES = 300
const BROADCAST_FLAG = 0x8000
const [PAD, END] = [0, 255]

export function messageBytes(message: DhcpMessage): Buffer {
  const head = Buffer.alloc(OPTIONS_AT)
  head.set([1, 1, 6, 0])
  head.writeUInt32BE(message.transaction, 4)
  head.writeUInt16BE(Math.min(message.secondsSinceStart, 0xffff), 8)
  head.writeUInt16BE(message.answer === 'broadcast' ? BROADCAST_FLAG : 0, 10)
  writeAddress(head, 12, message.clientAddress)
  writeAddress(head, 16, message.yourAddress)
  message.hardware.copy(head, 28)
  head.writeUInt32BE(MAGIC, 236)
  const options = [...message.options].map(([code, value]) => optionBytes(code, value))
  const bytes = Buffer.concat([
    head,
    Buffer.from([OPTION.kind, 1, KINDS[message.kind]]),
    ...options,
    Buffer.from([END]),
  ])
  return bytes.length >= LEAST_BYTES ? bytes : Buffer.concat([bytes, Buffer.alloc(LEAST_BYTES - bytes.length)])
}

/** A value that is too long for one option goes on in a second of the same number (RFC 3396). */
function optionBytes(code: number, value: Buffer): Buffer {
  const parts: Buffer[] = []
  for (let at = 0; at === 0 || at < value.length; at += 255) {
    const part = value.subarray(at, at + 255)
    parts.push(Buffer.from([code, part.length]), part)
  }
  return Buffer.concat(parts)
}

/** A server's answer; undefined for anything else, cut short or malformed. */
export function answerOf(bytes: Buffer): DhcpMessage | undefined {
  if (bytes.length < OPTIONS_AT || bytes[0] !== 2 || bytes.readUInt32BE(236) !== MAGIC) return undefined
  const options = optionsOf(bytes)
  const number = options?.get(OPTION.kind)?.[0]
  const kind = Object.entries(KINDS).find(([, value]) => value === number)?.[0]
  if (options === undefined || kind === undefined) return undefined
  const yourAddress = addressAt(bytes, 16)
  return {
    kind: kind as DhcpKind,
    transaction: bytes.readUInt32BE(4),
    secondsSinceStart: bytes.readUInt16BE(8),
    answer: (bytes.readUInt16BE(10) & BROADCAST_FLAG) === 0 ? 'unicast' : 'broadcast',
    ...(yourAddress !== undefined && { yourAddress }),
    hardware: Buffer.from(bytes.subarray(28, 34)),
    options,
  }
}

/** Where there are too many, they go on in the fields for the names of a boot file and of its server. */
function optionsOf(bytes: Buffer): DhcpOptions | undefined {
  const found = new Map<number, Buffer>()
  if (!readOptions(bytes.subarray(OPTIONS_AT), found)) return undefined
  const overload = found.get(OPTION.overload)?.[0] ?? 0
  if ((overload & 1) !== 0 && !readOptions(bytes.subarray(108, 236), found)) return undefined
  if ((overload & 2) !== 0 && !readOptions(bytes.subarray(44, 108), found)) return undefined
  return found
}

function readOptions(bytes: Buffer, found: Map<number, Buffer>): boolean {
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at]!
    if (code === END) return true
    if (code === PAD) {
      at++
      continue
    }
    const length = bytes[at + 1]
    if (length === undefined || at + 2 + length > bytes.length) return false
    const value = bytes.subarray(at + 2, at + 2 + length)
    const before = found.get(code)
    found.set(code, before === undefined ? Buffer.from(value) : Buffer.concat([before, value]))
    at += 2 + length
  }
  return true
}

export function addressBytes(address: Address): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(Number(addressNumber(address)))
  return bytes
}

/** Undefined for 0.0.0.0, and where there are no four bytes. */
export function addressAt(bytes: Buffer, at: number): Address | undefined {
  if (at + 4 > bytes.length) return undefined
  const number = bytes.readUInt32BE(at)
  return number === 0 ? undefined : addressFromNumber('ipv4', BigInt(number))
}

function writeAddress(bytes: Buffer, at: number, address: Address | undefined): void {
  if (address !== undefined) addressBytes(address).copy(bytes, at)
}
