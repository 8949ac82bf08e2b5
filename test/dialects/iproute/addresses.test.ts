import { expect, test } from 'vitest'
import { addAddress, deleteAddress, interfaceAddressesOf } from '#dialects/iproute/addresses.ts'
import { ip } from '../../support/objects.ts'

test('the addresses that `ip` prints, each with its link, without those mapped from IPv4', () => {
  const printed = `[{},{"ifindex":3,"ifname":"v1","addr_info":[
    {"family":"inet","local":"10.1.0.2","address":"10.9.9.9","prefixlen":32,"scope":"global"},
    {"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link","tentative":true},
    {"family":"inet6","local":"fd00::1","prefixlen":64,"scope":"global","dadfailed":true},
    {"family":"inet6","local":"::ffff:1.2.3.4","prefixlen":120,"scope":"global"}]}]`
  const shared = { link: 3, isTentative: false, hasDadFailed: false }
  expect(interfaceAddressesOf(printed)).toEqual([
    { ...shared, address: '10.1.0.2', prefixLength: 32, scope: 'global' },
    { ...shared, address: 'fe80::1', prefixLength: 64, scope: 'link', isTentative: true },
    { ...shared, address: 'fd00::1', prefixLength: 64, scope: 'global', hasDadFailed: true },
  ])
})

test('an address of IPv4 has a broadcast address where its network has room for one', () => {
  const words = (address: string, prefixLength: number) =>
    addAddress('v0', { address: ip(address), prefixLength, withoutDad: true }).argv.join(' ')
  expect(words('10.2.0.1', 24)).toBe('ip address add 10.2.0.1/24 broadcast + dev v0')
  expect(words('10.2.0.1', 30)).toBe('ip address add 10.2.0.1/30 broadcast + dev v0')
  expect(words('10.2.0.1', 31)).toBe('ip address add 10.2.0.1/31 dev v0')
  expect(words('fd00::1', 64)).toBe('ip address add fd00::1/64 nodad dev v0')
  expect(deleteAddress('v0', { address: ip('fd00::1'), prefixLength: 64 }).argv.join(' ')).toBe(
    'ip address delete fd00::1/64 dev v0',
  )
})
