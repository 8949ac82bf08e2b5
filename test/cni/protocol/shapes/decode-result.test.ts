import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ConfigFields } from '#cni/protocol/config-fields.ts'
import { NO_RESULT } from '#cni/protocol/result.ts'
import { decodeResult, parsePrefix } from '#cni/protocol/shapes/decode-result.ts'
import { ADDRESS_BITS, FAMILIES } from '#values/address.ts'
import { anyAddress } from '../results.ts'

describe('a result of another plugin', () => {
  const read = (json: Record<string, unknown>) => {
    const fields = new ConfigFields({ prevResult: json })
    return { result: decodeResult(fields.object('prevResult')!), problems: fields.problems }
  }

  test('may write what is absent as null or empty, as Go programs do', () => {
    const json = {
      interfaces: null,
      ips: [{ address: '10.0.0.5/8', gateway: '', interface: null }],
      routes: [],
      dns: null,
    }
    expect(read(json)).toEqual({
      result: { interfaces: [], ips: [{ address: '10.0.0.5', prefixLength: 8 }], routes: [], dns: {} },
      problems: [],
    })
  })

  test('is refused with all that is wrong in it', () => {
    const json = {
      interfaces: [{ name: 5 }, 'eth0'],
      ips: [{ address: '10.0.0.5' }, { address: '10.0.0.5/33' }, { address: '10.0.0.5/8', gateway: '10.0.0.256' }],
      routes: [{ gw: '10.0.0.1' }, { dst: 'default' }],
      dns: { nameservers: '10.0.0.10' },
    }
    expect(read(json).problems).toEqual([
      'prevResult.interfaces[1]: "eth0" is not an object in braces',
      'prevResult.interfaces[0].name: 5 is not a text in quotes',
      'prevResult.ips[0].address: "10.0.0.5" is not an address with its prefix length such as 10.22.0.5/16',
      'prevResult.ips[1].address: "10.0.0.5/33" is not an address with its prefix length such as 10.22.0.5/16',
      'prevResult.ips[2].gateway: "10.0.0.256" is not an IP address such as 10.22.0.1',
      'prevResult.routes[0].dst is missing: an address range such as 0.0.0.0/0 is wanted',
      'prevResult.routes[1].dst: "default" is not an address range such as 10.22.0.0/16',
      'prevResult.dns.nameservers: "10.0.0.10" is not a list in brackets',
    ])
  })

  test.each([undefined, null, ''])(
    'has a name for each interface, as addresses name them by their number: %j',
    name => {
      const interfaces = [
        { name, mac: '0a:58:0a:09:00:01' },
        { name: 'eth0', sandbox: '/n' },
      ]
      expect(read({ interfaces, ips: [{ address: '10.0.0.5/8', interface: 1 }] }).problems).toEqual([
        'prevResult.interfaces[0].name is missing: the name of an interface such as eth0 is wanted',
      ])
    },
  )

  test('may have a number that no field of a result can be: it is named', () => {
    const json = {
      interfaces: [{ name: 'eth0', mtu: -1 }],
      ips: [{ address: '10.0.0.5/8', interface: 0.5 }],
      routes: [{ dst: '10.0.0.0/8', scope: 256, table: 2 ** 32, priority: '1', mtu: 0 }],
    }
    expect(read(json).problems.map(line => line.split(': ')[0])).toEqual([
      'prevResult.interfaces[0].mtu',
      'prevResult.ips[0].interface',
      'prevResult.routes[0].priority',
      'prevResult.routes[0].table',
      'prevResult.routes[0].scope',
    ])
  })

  test('is understood by its shape, whichever version it says', () => {
    const ip4 = { ip: '10.0.0.5/8', gateway: '10.0.0.1', routes: [{ dst: '0.0.0.0/0' }] }
    const { result, problems } = read({
      cniVersion: '1.1.0',
      ip4,
      ip6: { ip: 'fd00::5/64' },
      routes: [{ dst: '::/0' }],
    })
    expect([problems, result]).toEqual([
      [],
      {
        ...NO_RESULT,
        ips: [
          { address: '10.0.0.5', prefixLength: 8, gateway: '10.0.0.1' },
          { address: 'fd00::5', prefixLength: 64 },
        ],
        routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
      },
    ])
  })

  test('is a result with all of its items, or has its problems named, whatever it is', () => {
    const keys = [
      'ip4',
      'ip6',
      'ip',
      'ips',
      'address',
      'gateway',
      'interface',
      'interfaces',
      'name',
      'routes',
      'dst',
      'dns',
    ]
    const { value } = fc.letrec(tie => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom('10.0.0.5/8', '10.0.0.1', 'fd00::/64', '', 'eth0', 0, -1, true, null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 4 }),
      ),
    }))
    const count = (list: unknown) => (Array.isArray(list) ? list.length : 0)
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), value), json => {
        const { result, problems } = read(json)
        for (const problem of problems) expect(problem).toMatch(/^prevResult\.(ip4|ip6|ips|interfaces|routes|dns)\b/)
        if (problems.length > 0 || 'ip4' in json || 'ip6' in json) return
        expect([result.ips, result.interfaces, result.routes].map(count)).toEqual(
          [json.ips, json.interfaces, json.routes].map(count),
        )
      }),
      { numRuns: 500 },
    )
  })
})

describe('an address with its prefix length', () => {
  test('is read as it was written', () => {
    const any = fc.constantFrom(...FAMILIES).chain(family => fc.tuple(anyAddress(family), fc.nat(ADDRESS_BITS[family])))
    fc.assert(
      fc.property(any, ([address, prefixLength]) => {
        expect(parsePrefix(`${address}/${prefixLength}`)).toEqual({ address, prefixLength })
      }),
    )
  })

  test.each([
    '',
    '/8',
    '10.0.0.1',
    '10.0.0.1/',
    '10.0.0.1/33',
    'fd00::1/129',
    '10.0.0.1/08',
    '10.0.0.1/+8',
    '10.0.0.1/8/8',
    ' 10.0.0.1/8',
    '10.0.0.1/8\n',
    8,
  ])('%j is none', text => {
    expect(parsePrefix(text)).toBeUndefined()
  })
})
