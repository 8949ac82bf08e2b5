import fc from 'fast-check'
import type { CniResult } from '#cni/protocol/result.ts'
import { atLeast, type CniVersion } from '#cni/protocol/versions.ts'
import { ADDRESS_BITS, type Address, addressFromNumber, FAMILIES, type Family } from '#values/address.ts'
import { prefixOf } from '#values/cidr.ts'

// Any result that a version can say, for properties.

export function anyResult(version: CniVersion): fc.Arbitrary<CniResult> {
  const isNew = atLeast(version, '1.1.0')
  const isOld = !atLeast(version, '0.3.0')
  const text = fc.string({ minLength: 1, maxLength: 8 })
  const count = fc.integer({ min: 1, max: 100_000 })
  const name = fc.record(
    { name: text, mac: text, sandbox: text, ...(isNew && { mtu: count, socketPath: text, pciID: text }) },
    { requiredKeys: ['name'] },
  )
  const oldIps = fc.subarray([...FAMILIES], { minLength: 1 }).chain(families => fc.tuple(...families.map(anyIp)))
  const newIps = fc.array(
    fc.constantFrom(...FAMILIES).chain(family => fc.tuple(anyIp(family), fc.option(fc.nat(5), { nil: undefined }))),
  )
  const ips = isOld
    ? oldIps
    : newIps.map(list => list.map(([ip, index]) => ({ ...ip, ...(index !== undefined && { interface: index }) })))
  return fc
    .record({
      interfaces: isOld ? fc.constant([]) : fc.array(name, { maxLength: 3 }),
      ips,
      routes: fc.array(fc.constantFrom(...FAMILIES).chain(family => anyRoute(family, isNew ? 'new' : 'old'))),
      dns: anyDns(),
    })
    .map(result => (isOld ? inFamilyOrder(result as CniResult) : (result as CniResult)))
}

/** Before 0.3.0 routes stand with the address of their family. */
function inFamilyOrder(result: CniResult): CniResult {
  const has = (family: Family) => result.ips.some(({ address }) => address.includes(':') === (family === 'ipv6'))
  const of = (family: Family) => result.routes.filter(({ dst }) => dst.includes(':') === (family === 'ipv6'))
  return { ...result, routes: FAMILIES.filter(has).flatMap(of) }
}

export function anyAddress(family: Family): fc.Arbitrary<Address> {
  const most = (1n << BigInt(ADDRESS_BITS[family])) - 1n
  return fc
    .bigInt({ min: 0n, max: most })
    .map(value => addressFromNumber(family, value))
    .filter(address => address.includes(':') === (family === 'ipv6'))
}

function anyIp(family: Family) {
  const bits = fc.integer({ min: 0, max: ADDRESS_BITS[family] })
  return fc.record(
    { address: anyAddress(family), prefixLength: bits, gateway: anyAddress(family) },
    {
      requiredKeys: ['address', 'prefixLength'],
    },
  )
}

function anyRoute(family: Family, age: 'new' | 'old') {
  const count = fc.integer({ min: 1, max: 65_535 })
  const dst = fc
    .tuple(anyAddress(family), fc.integer({ min: 8, max: ADDRESS_BITS[family] }))
    .map(([address, bits]) => prefixOf(address, bits))
    .filter(cidr => cidr.includes(':') === (family === 'ipv6'))
  const more = { mtu: count, advmss: count, priority: count, table: fc.nat(65_535), scope: fc.nat(255) }
  return fc.record({ dst, gw: anyAddress(family), ...(age === 'new' && more) }, { requiredKeys: ['dst'] })
}

function anyDns() {
  const words = fc.array(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 2 })
  const domain = fc.string({ minLength: 1, maxLength: 8 })
  return fc.record({ nameservers: words, domain, search: words, options: words }, { requiredKeys: [] })
}
