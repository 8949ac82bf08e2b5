import { describe, expect, test } from 'vitest'
import { portmapConfig } from '#cni/plugins/portmap/mapping.ts'
import type { JsonObject, NetworkConfig } from '#cni/protocol/request.ts'

const decoded = (raw: JsonObject) => portmapConfig({ config: { raw } as NetworkConfig })
const mapped = (...portMappings: readonly unknown[]) => ({ runtimeConfig: { portMappings } })

describe('a configuration of portmap', () => {
  test('without mappings it maps nothing', () => {
    expect(decoded({})).toEqual({
      mappings: [],
      masquerade: 'where-needed',
      mark: 0x2000,
      conditions: { ipv4: [], ipv6: [] },
      backend: undefined,
    })
  })

  test('protocols come in either case, an empty host address means all', () => {
    const config = decoded(mapped({ hostPort: 8053, containerPort: 53, protocol: 'UDP', hostIP: '' }))
    expect(config.mappings).toEqual([{ protocol: 'udp', hostPort: 8053, containerPort: 53 }])
  })

  test.each([
    [{ snat: false }, 'never'],
    [{ masqAll: true }, 'always'],
    [{ snat: true }, 'where-needed'],
  ])('%j masquerades %s', (raw, masquerade) => {
    expect(decoded(raw).masquerade).toBe(masquerade)
  })

  test.each([
    [{ backend: 'nftables' }, 'nftables'],
    [{ externalSetMarkChain: 'KUBE-MARK-MASQ' }, 'iptables'],
    [{ conditionsV4: ['!', '-d', '192.0.2.0/24'] }, 'iptables'],
    [{ conditionsV6: 'ip6 saddr fd00::/8' }, 'nftables'],
  ])('%j is for %s', (raw, backend) => {
    expect(decoded(raw).backend).toBe(backend)
  })

  test.each([
    [
      mapped({ hostPort: 0, containerPort: 80 }),
      'runtimeConfig.portMappings[0].hostPort: 0 is not a whole number from 1 to 65535',
    ],
    [mapped({ containerPort: 80 }), 'runtimeConfig.portMappings[0].hostPort is missing: a port from 1 to 65535'],
    [mapped({ hostPort: 1, containerPort: 80, protocol: 'icmp' }), 'protocol: "icmp" is not "tcp", "udp" or "sctp"'],
    [mapped({ hostPort: 1, containerPort: 80, hostIP: '10.0.0' }), 'hostIP: "10.0.0" is not an IP address'],
    [{ markMasqBit: 32 }, 'markMasqBit: 32 is not a whole number from 0 to 31'],
    [{ markMasqBit: 3, externalSetMarkChain: 'X' }, 'are both there'],
    [{ backend: 'nftables', externalSetMarkChain: 'X' }, 'is a chain of iptables'],
    [{ externalSetMarkChain: 'X -j ACCEPT' }, 'is not the name of a chain'],
    [{ conditionsV4: ['-s', 'a\nCOMMIT'] }, 'holds a line break'],
    [{ conditionsV4: ['tcp; drop'] }, 'a semicolon'],
    [
      { backend: 'nftables', conditionsV6: ['!', '-s', 'fd00::/8'] },
      'conditionsV6: ["!","-s","fd00::/8"] is in the words of iptables, while the back end is nftables',
    ],
    [
      { externalSetMarkChain: 'X', conditionsV4: 'ip saddr 10.0.0.0/8' },
      'conditionsV4: "ip saddr 10.0.0.0/8" is in the words of nftables, while the back end is iptables',
    ],
    [{ conditionsV4: ['-s', '10.0.0.0/8'], conditionsV6: 'ip6 saddr fd00::/8' }, 'while the back end is iptables'],
  ])('%j is refused', (raw, text) => {
    expect(() => decoded(raw)).toThrow(text)
  })

  test('all that is wrong is said at once', () => {
    expect(() => decoded({ ...mapped({ hostPort: 'x', containerPort: 70_000 }), snat: 'no' })).toThrow(
      /hostPort.*containerPort.*snat/,
    )
  })
})
