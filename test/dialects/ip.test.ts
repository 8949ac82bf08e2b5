import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addressesOf, ipBatch, routesOf, routeTo, serviceAddressesOf, serviceAddressLine } from '#dialects/ip.ts'
import { ip } from '../support/objects.ts'

// As iproute2 6.1 printed it, cut down to what is of interest; an older one writes an apostrophe with a backslash.

const ADDRESSES = String.raw`[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"addr_info":[
  {"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo"},
  {"family":"inet6","local":"::1","prefixlen":128,"scope":"host"}]},
{"ifindex":3,"link":"v0","ifname":"v1","ifalias":"it\'s a \"veth\" \\ back","addr_info":[
  {"family":"inet","local":"10.1.0.2","address":"10.9.9.9","prefixlen":32,"scope":"global","label":"v1"},
  {"family":"inet","local":"10.1.0.2","prefixlen":24,"scope":"global","secondary":true},
  {"family":"inet6","local":"fd00::3","prefixlen":64,"scope":"global","nodad":true},
  {"family":"inet6","local":"fe80::687b:45ff:fe8f:ada","prefixlen":64,"scope":"link","tentative":true}]},
{},
{"ifindex":9,"ifname":"kube-ipvs0","addr_info":[
  {"family":"inet","local":"10.96.0.10","prefixlen":32,"scope":"global"},
  {"family":"inet","local":"10.96.0.1","prefixlen":32,"scope":"global"},
  {"family":"inet6","local":"fd96::1","prefixlen":128,"scope":"global"}]}]`

const ROUTES = `[{"dst":"default","gateway":"10.1.0.254","dev":"v0","flags":[]},
{"dst":"10.1.0.0/24","dev":"v0","protocol":"kernel","scope":"link","prefsrc":"10.1.0.1","flags":[]},
{"dst":"10.5.0.0/16","protocol":"77","metric":9,"flags":[],"nexthops":[
  {"gateway":"10.1.0.9","dev":"v0","weight":1,"flags":[]},{"gateway":"10.1.0.10","dev":"v0","weight":1,"flags":[]}]},
{"type":"unreachable","dst":"10.7.0.0/16","flags":[]},
{"dst":"10.96.0.1","dev":"kube-ipvs0","scope":"link","flags":[]},
{"dst":"10.9.9.9","dev":"v1","protocol":"kernel","scope":"link","prefsrc":"10.1.0.2","flags":[]},
{"dst":"10.1.0.0/24","dev":"v1","metric":5,"flags":[]}]`

describe('the addresses of a node', () => {
  test('are those of its links, each once and in order, without link-local ones and those of Services', () => {
    expect(addressesOf(ADDRESSES, 'ipv4')).toEqual(['10.1.0.2', '127.0.0.1'])
    expect(addressesOf(ADDRESSES, 'ipv6')).toEqual(['::1', 'fd00::3'])
  })

  test('of Services are those of one device alone', () => {
    expect(serviceAddressesOf(ADDRESSES, 'ipv4')).toEqual(['10.96.0.1', '10.96.0.10'])
    expect(serviceAddressesOf(ADDRESSES, 'ipv6')).toEqual(['fd96::1'])
    expect(serviceAddressesOf('[{"ifname":"lo"}]', 'ipv4')).toBeUndefined()
    expect(serviceAddressesOf('[{"ifname":"kube-ipvs0"}]', 'ipv4')).toEqual([])
  })

  test('of IPv6 that are mapped from IPv4 are no addresses of IPv4', () => {
    const links = [{ ifname: 'v0', addr_info: [{ local: '::ffff:192.0.2.1', prefixlen: 128, scope: 'global' }] }]
    expect(addressesOf(JSON.stringify(links), 'ipv4')).toEqual([])
    expect(addressesOf(JSON.stringify(links), 'ipv6')).toEqual([])
  })

  test('are none where nothing is printed', () => {
    expect(addressesOf('', 'ipv4')).toEqual([])
    expect(serviceAddressesOf('', 'ipv4')).toBeUndefined()
    expect(routesOf('')).toEqual([])
  })

  test('are the same whatever order the links are listed in', () => {
    const links = (JSON.parse(ADDRESSES.replace(String.raw`\'`, "'")) as object[]).filter(link => 'ifindex' in link)
    fc.assert(
      fc.property(fc.shuffledSubarray(links, { minLength: links.length }), shuffled => {
        expect(addressesOf(JSON.stringify(shuffled), 'ipv4')).toEqual(addressesOf(ADDRESSES, 'ipv4'))
      }),
    )
  })
})

describe('the destinations of routes', () => {
  test('are ranges, a single address too, without the default route and what leads nowhere or to Services', () => {
    expect(routesOf(ROUTES)).toEqual(['10.1.0.0/24', '10.5.0.0/16', '10.9.9.9/32'])
  })

  test('of IPv6 that are mapped from IPv4 are no ranges of IPv4', () => {
    const routes = ['fd00::/64', '::ffff:0.0.0.0/96', '::ffff:10.0.0.1'].map(dst => ({ dst, dev: 'v0' }))
    expect(routesOf(JSON.stringify(routes))).toEqual(['fd00::/64'])
  })
})

test('the lines of a batch are its input, one after the other, and a single address has its whole length', () => {
  const lines = [serviceAddressLine('add', ip('10.96.0.1')), serviceAddressLine('delete', ip('fd96::1'))]
  expect(ipBatch(lines)).toMatchObject({
    argv: ['ip', '-batch', '-'],
    input: 'address add 10.96.0.1/32 dev kube-ipvs0\naddress delete fd96::1/128 dev kube-ipvs0\n',
  })
  expect(routeTo(ip('fd96::1')).argv).toEqual(['ip', '-oneline', 'route', 'get', 'fd96::1'])
})
