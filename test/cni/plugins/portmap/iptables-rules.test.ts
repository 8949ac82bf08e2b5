import { hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as rules from '#cni/plugins/portmap/iptables-rules.ts'
import type { Family } from '#values/address.ts'
import { mapped, OWNER } from './mappings.ts'

const CHAIN = rules.chainOf(OWNER)

function lines(given: Parameters<typeof mapped>[0] = {}, family: Family = 'ipv4') {
  const { targets, config, owner } = mapped(given)
  return rules.mappingLines(targets.find(one => one.family === family)!, owner, config)
}

const entries = (given?: Parameters<typeof mapped>[0], family?: Family) =>
  lines(given, family).filter(line => line.startsWith('-I'))

describe('the chain of a container', () => {
  test('is the reference plugin’s for its first interface, and another one for each further one', () => {
    expect(CHAIN).toBe(`CNI-DN-${hash('sha512', 'mynetc1')}`.slice(0, 28))
    const owners = ['eth0', 'net1', 'net2'].map(ifname => rules.chainOf({ ...OWNER, ifname }))
    expect(new Set(owners).size).toBe(3)
    for (const chain of owners) expect(chain).toHaveLength(28)
  })

  test('marks what would not come back over the node, and leads to the container', () => {
    const own = (family: Family) => lines({}, family).filter(line => line.startsWith('-A'))
    expect(own('ipv4')).toEqual([
      `-A ${CHAIN} -s 10.9.0.0/24 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK`,
      `-A ${CHAIN} -s 127.0.0.1/32 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK`,
      `-A ${CHAIN} -p tcp -m tcp --dport 8080 -j DNAT --to-destination 10.9.0.2:80`,
    ])
    expect(own('ipv6')).toEqual([
      `-A ${CHAIN} -s fd09::/64 -p tcp -m tcp --dport 8080 -j CNI-HOSTPORT-SETMARK`,
      `-A ${CHAIN} -p tcp -m tcp --dport 8080 -j DNAT --to-destination [fd09::2]:80`,
    ])
  })

  test.each([
    [{ snat: false }, []],
    [{ masqAll: true }, ['-p tcp']],
    [{ externalSetMarkChain: 'KUBE-MARK-MASQ' }, ['-s 10.9.0.0/24 -p tcp', '-s 127.0.0.1/32 -p tcp']],
  ])('with %j marks %j', (config, from) => {
    const [, to = 'CNI-HOSTPORT-SETMARK'] = Object.values(config).map(String).includes('KUBE-MARK-MASQ')
      ? ['', 'KUBE-MARK-MASQ']
      : []
    const marking = lines({ config }).filter(line => line.endsWith(`-j ${to}`) && line.startsWith('-A'))
    expect(marking).toEqual(from.map(match => `-A ${CHAIN} ${match} -m tcp --dport 8080 -j ${to}`))
  })
})

describe('what leads to it', () => {
  test('is a rule for each protocol, with at most fifteen ports, each port once', () => {
    const ports = Array.from({ length: 31 }, (_, i) => ({ hostPort: 1000 + i, containerPort: 1 }))
    const twice = ['192.0.2.1', '192.0.2.2'].map(hostIP => ({
      hostPort: 53,
      containerPort: 53,
      protocol: 'udp',
      hostIP,
    }))
    const led = entries({ ports: [...ports, ...twice] }).map(line => /-p (\w+) .*--dports (\S+)/.exec(line)!)
    expect(led.map(([, protocol, list]) => [protocol, list!.split(',').length])).toEqual([
      ['tcp', 15],
      ['tcp', 15],
      ['tcp', 1],
      ['udp', 1],
    ])
  })

  test('holds the conditions of its family', () => {
    const config = { conditionsV4: ['!', '-d', '192.0.2.0/24'], conditionsV6: ['-i', 'lo'] }
    expect(entries({ config })[0]).toContain('--dports 8080 ! -d 192.0.2.0/24 -j ')
    expect(entries({ config }, 'ipv6')[0]).toContain('--dports 8080 -i lo -j ')
  })

  test('is found again in a listing, with whose it is', () => {
    const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,40}$/)
    const numbers = fc.uniqueArray(fc.integer({ min: 1, max: 65_535 }), { minLength: 1, maxLength: 15 })
    fc.assert(
      fc.property(name, name, numbers, fc.constantFrom('tcp', 'udp', 'sctp'), (network, container, ports, protocol) => {
        const owner = { network, container, ifname: 'net1' }
        const [entry = ''] = entries({
          owner,
          ports: ports.map(hostPort => ({ hostPort, containerPort: 1, protocol })),
        })
        const listing = `-N CNI-HOSTPORT-DNAT\n${entry.replace(/^-I (\S+) 1 /, '-A $1 ')}\n`
        const [found, ...more] = rules.entryRulesOf(listing)
        expect([found, more]).toEqual([
          { line: listing.split('\n')[1], chain: rules.chainOf(owner), ...owner, protocol, ports },
          [],
        ])
      }),
    )
  })

  test('of the reference plugin names no interface, and other rules are passed over', () => {
    const reference = `-A CNI-HOSTPORT-DNAT -p tcp -m comment --comment "dnat name: \\"mynet\\" id: \\"c1\\"" -m multiport --dports 80,443 -j ${CHAIN}`
    const listing = [
      '-N CNI-HOSTPORT-DNAT',
      '-A CNI-HOSTPORT-DNAT -p tcp -m tcp --dport 80 -j ACCEPT',
      reference,
      '',
    ].join('\n')
    expect(rules.entryRulesOf(listing)).toEqual([
      { line: reference, chain: CHAIN, network: 'mynet', container: 'c1', protocol: 'tcp', ports: [80, 443] },
    ])
  })

  test('goes before the chain does, and a chain of several rules goes once', () => {
    const led = (port: number) => ({ line: `-A CNI-HOSTPORT-DNAT --dports ${port} -j ${CHAIN}`, chain: CHAIN })
    const some = [led(1), led(2)].map(one => ({ ...one, ...OWNER, protocol: 'tcp', ports: [] }))
    expect(rules.removalLines(some)).toEqual([
      `-D CNI-HOSTPORT-DNAT --dports 1 -j ${CHAIN}`,
      `-D CNI-HOSTPORT-DNAT --dports 2 -j ${CHAIN}`,
      `-F ${CHAIN}`,
      `-X ${CHAIN}`,
    ])
  })
})

describe('rules that all share', () => {
  const shared = (config: object, family: Family = 'ipv4') =>
    rules.sharedRules(family, mapped({ config: config as never }).config).map(({ table, chain }) => `${table} ${chain}`)
  const LED = ['nat PREROUTING', 'nat OUTPUT']
  const MASQUERADE = ['nat POSTROUTING', 'nat CNI-HOSTPORT-SETMARK', 'nat CNI-HOSTPORT-MASQ']
  const GUARD = ['filter INPUT', 'filter CNI-HOSTPORT-GUARD']

  test.each<[object, Family, readonly string[]]>([
    [{}, 'ipv4', [...LED, ...MASQUERADE, ...GUARD]],
    [{}, 'ipv6', [...LED, ...MASQUERADE]],
    [{ snat: false }, 'ipv4', LED],
    [{ externalSetMarkChain: 'KUBE-MARK-MASQ' }, 'ipv4', [...LED, ...GUARD]],
  ])('with %j of %s', (config, family, chains) => {
    expect(shared(config, family)).toEqual(chains)
  })
})
