import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as rules from '#cni/plugins/portmap/nftables-rules.ts'
import type { Family } from '#values/address.ts'
import { mapped, OWNER } from './mappings.ts'

/** Lines that write rules → chains, as a listing has them. */
function listed(lines: readonly string[]) {
  const chains = new Map<string, string>()
  for (const line of lines) {
    const [, verb, chain = '', text = ''] = /^(add|insert) rule ip6? \w+ (\S+) (.*)$/.exec(line) ?? []
    if (verb === 'add') chains.set(chain, [chains.get(chain), text].filter(Boolean).join('\n'))
    if (verb === 'insert') chains.set(chain, [text, chains.get(chain)].filter(Boolean).join('\n'))
  }
  return { chains, sets: new Map(), maps: new Map() }
}

function written(mapping: ReturnType<typeof mapped>, family: Family) {
  const target = mapping.targets.find(one => one.family === family)!
  return [...rules.sharedLines(family, mapping.config), ...rules.mappingLines(target, OWNER, mapping.config)]
}

describe('what CHECK finds missing', () => {
  const PORTS = [
    { hostPort: 8080, containerPort: 80 },
    { hostPort: 80, containerPort: 80 },
  ]

  test('is nothing of what was written, and names each rule that is gone', () => {
    const mapping = mapped({ ports: PORTS })
    const lines = written(mapping, 'ipv4')
    expect(rules.missingIn(listed(lines), mapping, 'ipv4')).toEqual([])
    for (const line of lines.filter(one => one.startsWith('add rule'))) {
      const left = lines.filter(one => one !== line)
      expect(rules.missingIn(listed(left), mapping, 'ipv4')).toEqual([expect.stringMatching(/^chain \S+ has no rule/)])
    }
  })

  test.each([
    [80, 'nothing leads to it from port 80/tcp'],
    [8080, 'nothing leads to it from port 8080/tcp'],
  ])('is what led to it from port %i, whatever other ports do', (port, says) => {
    const mapping = mapped({ ports: PORTS })
    const left = written(mapping, 'ipv4').filter(line => !line.includes(`hostports tcp dport ${port} jump`))
    expect(rules.missingIn(listed(left), mapping, 'ipv4')).toEqual([says])
  })

  test('is what led to it from one address of the node, where others lead there', () => {
    const ports = ['192.0.2.1', '192.0.2.11'].map(hostIP => ({ hostPort: 80, containerPort: 80, hostIP }))
    const mapping = mapped({ ports })
    const left = written(mapping, 'ipv4').filter(line => !line.includes('hostports ip daddr 192.0.2.1 '))
    expect(rules.missingIn(listed(left), mapping, 'ipv4')).toEqual(['nothing leads to it from port 80/tcp'])
  })

  test('is not what leads to another container', () => {
    const mapping = mapped()
    const other = rules.chainOf({ ...OWNER, container: 'c2' })
    const lines = written(mapping, 'ipv6').map(line => line.replace(`jump ${rules.chainOf(OWNER)}`, `jump ${other}`))
    expect(rules.missingIn(listed(lines), mapping, 'ipv6')).toEqual(['nothing leads to it from port 8080/tcp'])
  })
})

describe('rules', () => {
  test('say both families in their own words, and localhost is an IPv4 matter', () => {
    const mapping = mapped({ config: { markMasqBit: 3 } })
    const own = (family: Family) => written(mapping, family).filter(line => /add rule \S+ \S+ pod-/.test(line))
    expect(own('ipv4').map(line => line.replace(/^.* pod-\S+ /, ''))).toEqual([
      'ip saddr 10.9.0.0/24 tcp dport 8080 meta mark set meta mark | 0x8',
      'ip saddr 127.0.0.1 tcp dport 8080 meta mark set meta mark | 0x8',
      'tcp dport 8080 meta l4proto tcp dnat to 10.9.0.2:80',
    ])
    expect(own('ipv6').map(line => line.replace(/^.* pod-\S+ /, ''))).toEqual([
      'ip6 saddr fd09::/64 tcp dport 8080 meta mark set meta mark | 0x8',
      'tcp dport 8080 meta l4proto tcp dnat to [fd09::2]:80',
    ])
    expect(written(mapping, 'ipv4').filter(line => line.includes(' guard ')).length).toBeGreaterThan(0)
    expect(written(mapping, 'ipv6').filter(line => line.includes(' guard '))).toEqual([])
  })

  test.each([
    [{ snat: false }, 0],
    [{ masqAll: true }, 1],
    [{}, 2],
  ])('with %j %i of them mark for masquerade', (config, count) => {
    const marking = written(mapped({ config }), 'ipv4').filter(line => line.includes('meta mark set'))
    expect(marking).toHaveLength(count)
    const masquerading = written(mapped({ config }), 'ipv4').filter(line => line.includes('masquerade fully-random'))
    expect(masquerading).toHaveLength(count === 0 ? 0 : 1)
  })

  test('of the entry chain hold the conditions of their family, behind the port and before the jump', () => {
    const mapping = mapped({ config: { conditionsV4: 'ip saddr 192.0.2.0/24' } })
    const entry = (family: Family) => written(mapping, family).find(line => line.startsWith('insert'))
    expect(entry('ipv4')).toMatch(/hostports tcp dport 8080 ip saddr 192\.0\.2\.0\/24 jump pod-/)
    expect(entry('ipv6')).toMatch(/hostports tcp dport 8080 jump pod-/)
  })
})

test('what was inserted is found in the listing of the chain, by its handle', () => {
  const port = fc.integer({ min: 1, max: 65_535 })
  const name = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,80}$/)
  fc.assert(
    fc.property(port, name, name, fc.constantFrom('tcp', 'udp', 'sctp'), (hostPort, network, container, protocol) => {
      const owner = { network, container, ifname: 'eth0' }
      const mapping = mapped({ owner, ports: [{ hostPort, containerPort: 1, protocol, hostIP: '192.0.2.1' }] })
      const [line = ''] = rules
        .mappingLines(mapping.targets[0]!, owner, mapping.config)
        .filter(one => one.startsWith('insert'))
      const text = line.replace(/^insert rule ip switchyard_hostports hostports /, '')
      const listing = `table ip switchyard_hostports {\n\tchain hostports { # handle 7\n\t\t${text} # handle 41\n\t}\n}\n`
      expect(rules.entryHandlesOf(listing, 'ipv4')).toEqual([
        { family: 'ipv4', handle: 41, chain: rules.chainOf(owner), protocol, port: hostPort },
      ])
    }),
  )
})

test('chains of a network begin alike, and those of no two owners are the same', () => {
  const owners = ['a', 'ab'].flatMap(network =>
    ['c', 'bc'].flatMap(container => ['eth0', 'net1'].map(ifname => ({ network, container, ifname }))),
  )
  expect(new Set(owners.map(rules.chainOf)).size).toBe(owners.length)
  for (const owner of owners) {
    const prefixes = ['a', 'ab'].map(rules.chainPrefix)
    expect(prefixes.filter(prefix => rules.chainOf(owner).startsWith(prefix))).toEqual([
      rules.chainPrefix(owner.network),
    ])
  }
})
