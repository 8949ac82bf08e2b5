import { describe, expect, test } from 'vitest'
import { addRoute, deleteRoute, listUnicastRoutes, networkRoutesOf } from '#dialects/iproute/routes.ts'
import { cidr, ip } from '../../support/objects.ts'

// As iproute2 6.1 printed it with -details -Numeric, but for the second, which has what it leaves out where it is the default.

const IPV4 = `[
{"type":"1","dst":"default","gateway":"10.1.0.254","dev":"v0","table":"254","protocol":"3","scope":"0","flags":[]},
{"dst":"10.3.0.0/16","dev":"v0","flags":[]},
{"type":"1","dst":"10.5.0.0/16","table":"254","protocol":"77","scope":"0","metric":9,"flags":[],"nexthops":[
  {"gateway":"10.1.0.9","dev":"v0","weight":1,"flags":[]},{"gateway":"10.1.0.10","dev":"v1","weight":1,"flags":["onlink"]}]},
{"type":"1","dst":"10.6.0.0/16","gateway":"192.168.9.9","dev":"v0","table":"300","protocol":"3","scope":"0",
  "prefsrc":"10.1.0.1","flags":["onlink"],"metrics":[{"mtu":1400,"advmss":1300}]},
{"type":"1","dst":"10.9.9.9","dev":"v1","table":"254","protocol":"2","scope":"253","prefsrc":"10.1.0.2","flags":[]},
{"type":"1","dst":"127.0.0.1","dev":"lo","table":"255","protocol":"2","scope":"254","prefsrc":"127.0.0.1","flags":[]}]`

describe('the routes that are printed', () => {
  test('are one for each next hop, with what the kernel takes where nothing is said, without those of the local table', () => {
    expect(networkRoutesOf(IPV4, 'ipv4')).toEqual([
      { destination: '0.0.0.0/0', table: 254, scope: 0, priority: 0, protocol: 3, gateway: '10.1.0.254', link: 'v0' },
      { destination: '10.3.0.0/16', table: 254, scope: 0, priority: 0, protocol: 3, link: 'v0' },
      { destination: '10.5.0.0/16', table: 254, scope: 0, priority: 9, protocol: 77, gateway: '10.1.0.9', link: 'v0' },
      {
        ...{ destination: '10.5.0.0/16', table: 254, scope: 0, priority: 9, protocol: 77 },
        ...{ gateway: '10.1.0.10', link: 'v1', isOnLink: true },
      },
      {
        ...{ destination: '10.6.0.0/16', table: 300, scope: 0, priority: 0, protocol: 3, source: '10.1.0.1' },
        ...{ mtu: 1400, advmss: 1300, gateway: '192.168.9.9', link: 'v0', isOnLink: true },
      },
      {
        ...{ destination: '10.9.9.9/32', table: 254, scope: 253, priority: 0, protocol: 2 },
        ...{ source: '10.1.0.2', link: 'v1' },
      },
    ])
  })

  test('of IPv6 have a default route of their own', () => {
    const listed = '[{"type":"1","dst":"default","gateway":"fd00::fe","dev":"v0","table":"254","metric":1024}]'
    expect(networkRoutesOf(listed, 'ipv6')).toMatchObject([{ destination: '::/0', priority: 1024 }])
    expect(networkRoutesOf('', 'ipv6')).toEqual([])
  })

  test('of IPv6 to what is mapped from IPv4 are left out: it would be taken for a range of IPv4', () => {
    const listed = JSON.stringify(['::ffff:0.0.0.0/96', '::ffff:10.0.0.1'].map(dst => ({ dst, dev: 'v0' })))
    expect(networkRoutesOf(listed, 'ipv6')).toEqual([])
  })
})

describe('the command for a route', () => {
  const ROUTE = {
    ...{ destination: cidr('10.9.0.0/16'), gateway: ip('10.1.0.9'), link: 'v0', priority: 5, table: 300, scope: 0 },
    ...{ source: ip('10.1.0.1'), protocol: 77, mtu: 1400, advmss: 1300, isOnLink: true },
  }
  const words = (text: string) => `ip ${text}`.split(' ')

  test('has all that is known of it, and appends it', () => {
    expect(addRoute(ROUTE)).toMatchObject({
      does: 'write',
      family: 'ipv4',
      argv: words(
        '-4 route append 10.9.0.0/16 via 10.1.0.9 metric 5 table 300 src 10.1.0.1 protocol 77 scope 0 mtu 1400 advmss 1300 dev v0 onlink',
      ),
    })
  })

  test('of a deletion names no metrics, which would not be compared, and no flag', () => {
    expect(deleteRoute(ROUTE).argv).toEqual(
      words('-4 route delete 10.9.0.0/16 via 10.1.0.9 metric 5 table 300 src 10.1.0.1 protocol 77 scope 0 dev v0'),
    )
  })

  test('has no words for what is not said', () => {
    expect(addRoute({ destination: cidr('::/0'), isOnLink: false }).argv).toEqual(words('-6 route append ::/0'))
  })

  test('that is made of a listed route is the listed route again', () => {
    for (const route of networkRoutesOf(IPV4, 'ipv4')) {
      const { argv } = addRoute(route)
      const wordAfter = (word: string) => (argv.includes(word) ? argv[argv.indexOf(word) + 1] : undefined)
      const number = (word: string) => (wordAfter(word) === undefined ? undefined : Number(wordAfter(word)))
      const printed = [
        {
          ...{
            dst: argv[4],
            gateway: wordAfter('via'),
            dev: wordAfter('dev'),
            table: wordAfter('table'),
            scope: wordAfter('scope'),
          },
          ...{ metric: number('metric'), protocol: wordAfter('protocol'), prefsrc: wordAfter('src') },
          ...{
            flags: argv.includes('onlink') ? ['onlink'] : [],
            metrics: [{ mtu: number('mtu'), advmss: number('advmss') }],
          },
        },
      ]
      expect(networkRoutesOf(JSON.stringify(printed), 'ipv4')).toEqual([route])
    }
  })

  test('asks for one family, with numbers instead of names', () => {
    expect(listUnicastRoutes('ipv6').argv).toEqual(
      words('-json -details -Numeric -6 route show table all type unicast'),
    )
  })
})
