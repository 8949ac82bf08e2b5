import { type Address, addressFromNumber, addressNumber, type Family, familyOf } from '#values/address.ts'

// An address ⇄ a text of fixed width that sorts as the address does: `40af40102` for 10.244.1.2. Those of the two families do
// not mix: all IPv4 comes before all IPv6.

const DIGITS: Readonly<Record<Family, number>> = { ipv4: 8, ipv6: 32 }

export function sortKey(address: Address): string {
  return keyOfNumber(familyOf(address), addressNumber(address))
}

export function keyOfNumber(family: Family, value: bigint): string {
  return `${family === 'ipv4' ? '4' : '6'}${value.toString(16).padStart(DIGITS[family], '0')}`
}

export function numberOfKey(key: string): bigint {
  return BigInt(`0x${key.slice(1)}`)
}

export function familyOfKey(key: string): Family {
  return key.startsWith('4') ? 'ipv4' : 'ipv6'
}

export function addressOfKey(key: string): Address {
  return addressFromNumber(familyOfKey(key), numberOfKey(key))
}
