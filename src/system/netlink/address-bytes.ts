import { ADDRESS_BITS, type Address, addressFromNumber, addressNumber, type Family, familyOf } from '#values/address.ts'

// An address ⇄ its 4 or 16 bytes, as the kernel's messages have them.

export function addressBytes(address: Address): Buffer {
  const digits = ADDRESS_BITS[familyOf(address)] / 4
  return Buffer.from(addressNumber(address).toString(16).padStart(digits, '0'), 'hex')
}

/** IPv4-mapped IPv6 becomes the IPv4 address, as everywhere. */
export function addressOf(bytes: Buffer): Address {
  const family: Family = bytes.length === 4 ? 'ipv4' : 'ipv6'
  return addressFromNumber(family, BigInt(`0x${bytes.toString('hex')}`))
}
