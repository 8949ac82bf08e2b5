import { describe, expect, test } from 'vitest'
import { hostLocalConfig } from '#cni/plugins/host-local/configuration.ts'
import { requestOf } from '../../requests.ts'
import { found, IPAM, ipam, list } from '../configurations.ts'

describe('host-local', () => {
  test.each<[object, string]>([
    [
      { type: undefined },
      'error: plugins[0].ipam.type is missing; it names the plugin that gives addresses, such as "host-local"',
    ],
    [
      { type: 5 },
      'error: plugins[0].ipam.type: 5 is not a text in quotes; it names the plugin that gives addresses, such as "host-local"',
    ],
    [
      { type: '../host-local' },
      'error: plugins[0].ipam.type: "../host-local" is not the name of a plugin: it is looked for in the folders of plugins alone',
    ],
    [
      { type: 'host-locl' },
      'warning: plugins[0].ipam.type: "host-locl" is no plugin that is known here; did you mean "host-local"?',
    ],
    [
      { type: 'ptp' },
      'error: plugins[0].ipam.type: "ptp" makes interfaces, and gives no addresses; write "host-local", say',
    ],
    [
      { isGateway: true },
      'error: plugins[0].ipam.isGateway is no key of host-local; it belongs one level up, beside "ipam"',
    ],
    [
      { rangestrat: '10.22.0.5' },
      'error: plugins[0].ipam.rangestrat is no key of host-local; did you mean rangeStart?',
    ],
    [
      { subnet: '10.22.0.0' },
      'error: plugins[0].ipam.subnet: "10.22.0.0" has no prefix length; write "10.22.0.0/16", or how long it is',
    ],
    [
      { routes: [{ dst: '0.0.0.0' }] },
      'error: plugins[0].ipam.routes[0].dst: "0.0.0.0" has no prefix length; the default route is "0.0.0.0/0"',
    ],
    [
      { subnet: 'fd00::' },
      'error: plugins[0].ipam.subnet: "fd00::" has no prefix length; write "fd00::/64", or how long it is',
    ],
    [
      { subnet: '10.22.5.0/16' },
      'error: plugins[0].ipam.subnet: "10.22.5.0/16": invalid range set 0: Network has host bits set. For a subnet mask of length 16 the network address is 10.22.0.0; write "10.22.0.0/16"',
    ],
    [
      { gateway: '10.22.0.1/16' },
      'error: plugins[0].ipam.gateway: "10.22.0.1/16" has a prefix length, and an address alone is wanted; write "10.22.0.1"',
    ],
    [
      { rangeStart: '10.23.0.1' },
      'error: plugins[0].ipam.rangeStart: "10.23.0.1": invalid range set 0: RangeStart 10.23.0.1 not in network 10.22.0.0/16; write an address from 10.22.0.1 to 10.22.255.254',
    ],
    [
      { routes: [IPAM.routes[0], { gw: '10.22.0.9' }] },
      'error: plugins[0].ipam.routes[1].dst is missing; write "dst": "0.0.0.0/0", say',
    ],
    [
      { routes: { dst: '0.0.0.0/0' } },
      'error: plugins[0].ipam.routes: {"dst":"0.0.0.0/0"} is not a list; write it in brackets, as [{...}]',
    ],
    [
      { routes: [{ dst: 'default' }] },
      'error: plugins[0].ipam.routes[0].dst: "default" is not an address range; the default route is "0.0.0.0/0", or "::/0"',
    ],
    [
      { subnet: undefined, ranges: [{ subnet: '10.22.0.0/16' }] },
      'error: plugins[0].ipam.ranges[0]: {"subnet":"10.22.0.0/16"} is not a list; write it in brackets, as [{...}]',
    ],
    [
      { subnet: undefined },
      'error: plugins[0].ipam.ranges: no IP ranges specified; write "subnet": "10.244.1.0/24", or ranges',
    ],
    [
      { ranges: [[{ subnet: '10.22.9.0/24' }]] },
      'error: plugins[0].ipam.ranges[0]: range set 0 overlaps with 1; ipam and ipam.ranges[0] have addresses in common: one address would be given twice',
    ],
    [
      { dataDir: '/var/lib/cni/networks' },
      'warning: plugins[0].ipam.dataDir: leases are in the database of the node, and nothing is written to this folder',
    ],
    [
      { cooldown: '10 seconds' },
      'error: plugins[0].ipam.cooldown: "10 seconds" is not a duration from 0s to 24h, such as "30s"',
    ],
    [
      { onDuplicate: 'reuze' },
      'error: plugins[0].ipam.onDuplicate: "reuze" is none of "error", "reuse"; did you mean "reuse"?',
    ],
  ])('%j: %s', (more, sentence) => {
    expect(found(ipam(more))).toEqual([sentence])
  })

  test.each([{ routes: undefined }, { routes: [] }, { routes: [{ dst: '10.0.0.0/8' }] }])(
    '%j leaves pods without a default route, which masquerade is for',
    more => {
      expect(found(ipam(more))).toEqual([
        'warning: plugins[0].ipam.routes: no default route, so pods reach nothing that ipMasq is for; write "routes": [{"dst": "0.0.0.0/0"}], or "isDefaultGateway": true beside "ipam"',
      ])
      expect(found(list({ isDefaultGateway: true, ipam: { ...IPAM, ...more } }))).toEqual([])
      expect(found(list({ ipMasq: false, ipam: { ...IPAM, ...more } }))).toEqual([])
    },
  )

  test.each(['0', '24h', '24h1s', '-1s', '', '1m30s'])(
    'with a cooldown of %j is refused where the plugin refuses it',
    cooldown => {
      const config = { ipam: { ...IPAM, cooldown } }
      const isTaken = () => {
        try {
          return hostLocalConfig(requestOf({ config })).cooldownMs >= 0
        } catch {
          return false
        }
      }
      expect(found(list(config)).length === 0).toBe(isTaken())
    },
  )

  test('is named once, where it stands, also when a key has other letters', () => {
    const twice = found(list({ ipam: { type: 'host-local', Subnet: '10.22.0.1/16', routes: IPAM.routes } }))
    expect(twice).toEqual([
      expect.stringMatching(/^warning: plugins\[0\]\.ipam\.Subnet is taken for subnet by some programs/),
      expect.stringMatching(/^error: plugins\[0\]\.ipam\.Subnet: "10\.22\.0\.1\/16": .* host bits set/),
    ])
  })

  test('may have its ranges from the runtime', () => {
    const plugin = { capabilities: { ipRanges: true }, ipam: { type: 'host-local', routes: IPAM.routes } }
    expect(found(list(plugin))).toEqual([])
  })

  test('is not needed where switchyard means portmap, which needs its capability by either name', () => {
    const plugin = { type: 'switchyard', plugin: 'portmap' }
    const sentence =
      'warning: plugins[0].capabilities: without {"portMappings": true} the runtime gives portmap no ports to map'
    expect(found({ cniVersion: '1.0.0', name: 'net1', plugins: [plugin] })).toEqual([sentence])
  })

  test('is what switchyard means in ipam', () => {
    const plugin = { type: 'switchyard', ipam: { ...IPAM, type: 'switchyard', subnett: 'x' } }
    expect(found(list(plugin))).toEqual([
      'error: plugins[0].ipam.subnett is no key of switchyard; did you mean subnet?',
    ])
  })
})
