import { describe, expect, test } from 'vitest'
import { lint, understood } from '#cni/lint/lint.ts'
import { findingsJson, findingsText } from '#cni/lint/report.ts'
import { type Neighbours, NO_NEIGHBOURS } from '#cni/lint/rules/overlaps.ts'
import type { Cidr } from '#values/cidr.ts'

function found(config: object | string, { file = 'net.conflist', neighbours = NO_NEIGHBOURS } = {}): readonly string[] {
  const text = typeof config === 'string' ? config : JSON.stringify(config)
  return lint({ file, text }, neighbours).map(({ severity, message }) => `${severity}: ${message}`)
}

const IPAM = { type: 'host-local', subnet: '10.22.0.0/16', routes: [{ dst: '0.0.0.0/0' }] }
const BRIDGE = { type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true, ipam: IPAM }
const list = (plugin: object, more: object = {}) => ({
  cniVersion: '1.0.0',
  name: 'net1',
  plugins: [{ ...BRIDGE, ...plugin }],
  ...more,
})
const ipam = (more: object) => list({ ipam: { ...IPAM, ...more } })
const single = (more: object) => ({ cniVersion: '0.3.1', name: 'net1', ...BRIDGE, ...more })

describe('a configuration', () => {
  test('that is right has nothing wrong with it', () => {
    expect(found(list({}))).toEqual([])
    expect(found(single({}), { file: 'net.conf' })).toEqual([])
    const full = {
      cniVersion: '1.1.0',
      cniVersions: ['0.4.0', '1.1.0'],
      name: 'net1',
      disableGC: true,
      plugins: [
        {
          ...BRIDGE,
          vlanTrunk: [{ id: 5 }, { minID: 7, maxID: 9 }],
          capabilities: { ips: true, mac: true },
          dns: { nameservers: ['10.96.0.10'] },
          ipam: {
            type: 'host-local',
            ranges: [
              [{ subnet: '10.22.0.0/16', rangeStart: '10.22.0.10', rangeEnd: '10.22.9.9', gateway: '10.22.0.1' }],
              [{ subnet: 'fd00::/64' }],
            ],
            routes: [{ dst: '::/0', gw: 'fd00::1', mtu: 1400, scope: 253 }],
            cooldown: '10s',
          },
          _comment: 'a comment',
        },
        { type: 'portmap', snat: true, capabilities: { portMappings: true } },
        { type: 'tuning', sysctl: { 'net.core.somaxconn': '500' } },
        { type: 'their-own', anything: { goes: 1 } },
      ],
    }
    expect(found(full)).toEqual([])
  })

  test('that is too deep to be one has this one mistake', () => {
    expect(found(`{"plugins": ${'['.repeat(1000)}`)).toEqual([expect.stringMatching(/^error: .* too deep/)])
  })

  test('whose gateway is outside of its subnet may be meant so', () => {
    const sentence = (at: string, gateway: string, subnet: string) =>
      `warning: plugins[0].ipam.${at}gateway: ${gateway} is not in the subnet ${subnet}, so pods reach it only with a route of their own; most likely another address is meant`
    expect(found(ipam({ gateway: '10.23.0.1' }))).toEqual([sentence('', '10.23.0.1', '10.22.0.0/16')])
    const ranges = [[{ subnet: '10.24.0.0/16', gateway: '10.24.0.9' }], [{ subnet: 'fd00::/64', gateway: 'fd01::1' }]]
    const linkLocal = [[{ subnet: 'fd00::/64', gateway: 'fe80::1' }]]
    expect(found(ipam({ subnet: undefined, ranges: linkLocal })).filter(line => /gateway/.test(line))).toEqual([])
    expect(found(ipam({ subnet: undefined, ranges }))).toEqual([sentence('ranges[1][0].', 'fd01::1', 'fd00::/64')])
  })

  test('as people copy it, with all its mistakes, is understood to its end', () => {
    const text = `{
  # my network
  "cniVersion": "0.3.1",
  "name": "mynet",
  "type": "bridge",
  "bridge": "cni0"
  "ipGateway": true,
  "ipMasg": true,
  "ipam": {
    "type": "host-local",
    "subnet": "10.22.0.0"/16,
    "routes": [
      { "dsL": "0.0.0.0/0" },
    ]
  }
}
`
    const findings = lint({ file: 'mynet.conf', text }, NO_NEIGHBOURS)
    expect(findingsText([{ file: 'mynet.conf', findings }])).toBe(
      [
        'mynet.conf:2:3: error: JSON has no comments; remove it',
        'mynet.conf:6:19: error: a comma is missing here',
        'mynet.conf:7:3: error: ipGateway is no key of bridge; did you mean isGateway?',
        'mynet.conf:8:3: error: ipMasg is no key of bridge; did you mean ipMasq?',
        'mynet.conf:11:26: error: /16 belongs inside of the quotes; write "10.22.0.0/16"',
        'mynet.conf:13:9: error: ipam.routes[0].dsL is no key of routes; did you mean dst?',
        'mynet.conf:13:29: error: no comma may stand before ]; remove it',
        '7 errors, 0 warnings',
      ].join('\n'),
    )
  })
})

describe('a network', () => {
  test.each<[object | string, string]>([
    ['[]', 'error: [] is not a configuration; an object in braces is wanted'],
    [list({}, { name: undefined }), 'error: name is missing; it is the name of the network, such as "mynet"'],
    [
      list({}, { name: 'my net' }),
      'error: name: "my net" is not the name of a network: letters, digits, "_", "." and "-", and a letter or digit first',
    ],
    [list({}, { name: 5 }), 'error: name: 5 is not a text; write "5"'],
    [list({}, { cniVersion: '1.0' }), 'error: cniVersion: "1.0" is no version up to 1.1.0; did you mean "1.0.0"?'],
    [list({}, { cniVersion: '0.3' }), 'error: cniVersion: "0.3" is no version up to 1.1.0; did you mean "0.3.1"?'],
    [
      list({}, { cniVersion: 'latest' }),
      'error: cniVersion: "latest" is no version up to 1.1.0; the versions are 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0',
    ],
    [
      list({}, { cniVersion: undefined }),
      'warning: cniVersion is missing, so it is 0.1.0, which has no CHECK and one address a family; write "cniVersion": "1.0.0"',
    ],
    [
      list({}, { cniVersions: ['1.0.0', '9'] }),
      'error: cniVersions[1]: "9" is no version up to 1.1.0; the versions are 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0',
    ],
    [list({}, { plugins: [] }), 'error: plugins: [] has no plugin in it'],
    [list({}, { plugins: {} }), 'error: plugins: {} is not a list; write it in brackets, as [{...}]'],
    [list({}, { plugins: ['bridge'] }), 'error: plugins[0]: "bridge" is not an object in braces'],
    [list({}, { plugin: [] }), 'error: plugin is no key of a list of plugins; it belongs to a plugin, in "plugins"'],
    [
      list({}, { isGateway: true }),
      'error: isGateway is no key of a list of plugins; it belongs to a plugin, in "plugins"',
    ],
    [list({}, { disablecheck: true }), 'error: disablecheck is no key; write disableCheck'],
    [list({}, { color: 1 }), 'warning: color is no key of a list of plugins; it is passed over'],
    [
      single({}),
      'error: plugins is missing: a .conflist has a list of plugins; write "plugins": [{"type": ...}], or name the file .conf',
    ],
  ])('%j: %s', (config, sentence) => {
    expect(found(config)).toEqual([sentence])
  })

  test('stands in a file whose ending says whether it is a list', () => {
    expect(found(list({}), { file: 'a/net.conf' })).toEqual([
      'error: plugins: a list of plugins is read from files that end with .conflist; rename the file',
    ])
    expect(found(single({ cniVersion: '1.0.0' }), { file: 'net.json' })[0]).toMatch(
      /^warning: cniVersion: since 1\.0\.0 a network is a list of plugins/,
    )
  })
})

describe('a plugin', () => {
  test.each<[object, string]>([
    [{ type: undefined }, 'error: plugins[0].type is missing; it names the plugin, such as "bridge"'],
    [{ type: 'brigde' }, 'warning: plugins[0].type: "brigde" is no plugin that is known here; did you mean "bridge"?'],
    [
      { type: 'dhcp', ipam: undefined },
      'error: plugins[0].type: "dhcp" gives addresses, and makes no interface; it belongs into "ipam" of another plugin',
    ],
    [
      { isgateway: true },
      'warning: plugins[0].isgateway is taken for isGateway by some programs and passed over by others; write isGateway',
    ],
    [
      { isDefaultGateway: 'yes' },
      'error: plugins[0].isDefaultGateway: "yes" is not true or false; write true, without quotes',
    ],
    [{ mtu: '1450' }, 'error: plugins[0].mtu: "1450" is not a number; write 1450, without quotes'],
    [{ mtu: 70_000 }, 'error: plugins[0].mtu: 70000 is not a whole number from 0 to 65535'],
    [{ mtu: 10 }, 'error: plugins[0].mtu: 10 is not a whole number from 68 to 65535'],
    [{ bridge: 5 }, 'error: plugins[0].bridge: 5 is not a text; write "5"'],
    [
      { bridge: 'a-name-that-is-too-long' },
      'error: plugins[0].bridge: "a-name-that-is-too-long" is not the name of an interface: up to 15 characters without spaces, "/" and ":"',
    ],
    [
      { ipMasqBackend: 'nftable' },
      'error: plugins[0].ipMasqBackend: "nftable" is none of "iptables", "nftables"; did you mean "nftables"?',
    ],
    [
      { hairpinMode: true, promiscMode: true },
      'error: plugins[0]: cannot set hairpin mode and promiscuous mode at the same time',
    ],
    [
      { capabilities: { portMapping: true } },
      'error: plugins[0].capabilities.portMapping is no key of capabilities; did you mean portMappings?',
    ],
    [{ subnet: '10.0.0.0/8' }, 'error: plugins[0].subnet is no key of bridge; it belongs into "ipam"'],
    [{ runtimeConfig: {} }, 'warning: plugins[0].runtimeConfig is put there by the runtime; remove it from the file'],
    [{ dns: { nameserver: [] } }, 'error: plugins[0].dns.nameserver is no key of dns; did you mean nameservers?'],
    [
      { dns: { nameservers: '10.0.0.1' } },
      'error: plugins[0].dns.nameservers: "10.0.0.1" is not a list; write it in brackets, as ["10.0.0.1"]',
    ],
    [
      { ipam: undefined },
      'error: plugins[0].ipam is missing, and isGateway does nothing without addresses; write "ipam": {"type": "host-local", "subnet": "10.22.0.0/16"}',
    ],
    [
      { ipam: 'host-local' },
      'error: plugins[0].ipam: "host-local" is not an object in braces; write {"type": "host-local", ...}',
    ],
    [
      { type: 'portmap', isGateway: undefined, ipMasq: undefined, bridge: undefined, ipam: undefined },
      'warning: plugins[0].capabilities: without {"portMappings": true} the runtime gives portmap no ports to map',
    ],
  ])('%j: %s', (plugin, sentence) => {
    expect(found(list(plugin))).toEqual([sentence])
  })

  test('without gateway, masquerade and ipam may be meant so', () => {
    const plugin = { isGateway: undefined, ipMasq: undefined, ipam: undefined }
    expect(found(list(plugin))[0]).toMatch(/^warning: plugins\[0\]\.ipam is missing: pods get an interface without/)
  })
})

describe('host-local', () => {
  test.each<[object, string]>([
    [
      { type: undefined },
      'error: plugins[0].ipam.type is missing; it names the plugin that gives addresses, such as "host-local"',
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
    [{ cooldown: '10 seconds' }, 'error: plugins[0].ipam.cooldown: "10 seconds" is not a duration, such as "30s"'],
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

describe('ranges', () => {
  const network = (name: string, ...plugins: object[]) => ({
    file: `${name}.conflist`,
    root: understood(JSON.stringify({ name, plugins }))!,
  })
  const near = (neighbours: Partial<Neighbours>) => ({ neighbours: { ...NO_NEIGHBOURS, ...neighbours } })

  test('that meet those of another network in the folder are named with it', () => {
    const other = network('other', { ipam: { type: 'host-local', ranges: [[{ subnet: '10.22.8.0/24' }]] } })
    expect(found(list({}), near({ networks: [other] }))).toEqual([
      'error: plugins[0].ipam.subnet: 10.22.0.0/16 overlaps with 10.22.8.0/24 of network "other" (other.conflist); give each its own, or write "overlap": "allow" where they never meet',
    ])
  })

  test('may meet where either network says so, or where the other is no network of ours', () => {
    const allowed = network('other', { ipam: { ...IPAM, overlap: 'allow' } })
    const theirs = network('theirs', { ipam: { ...IPAM, type: 'static' } })
    expect(found(list({}), near({ networks: [allowed, theirs] }))).toEqual([])
    const other = network('other', { ipam: IPAM })
    expect(found(ipam({ overlap: 'allow' }), near({ networks: [other] }))).toEqual([])
  })

  test.each([
    [{ isGateway: true, bridge: 'cni0' }, 1],
    [{ isDefaultGateway: true }, 1],
    [{ isGateway: true, bridge: 'cni1' }, 0],
    [{ bridge: 'cni0' }, 0],
  ])('beside a network with %j share its bridge: %i errors', (plugin, errors) => {
    const other = network('other', { ...plugin, ipam: { ...IPAM, subnet: '10.23.0.0/16' } })
    const sentence =
      'error: plugins[0].bridge: cni0 is the bridge of network "other" (other.conflist), too, and can have one gateway address; give each network a bridge of its own'
    expect(found(list({}), near({ networks: [other] }))).toEqual([sentence].slice(0, errors))
  })

  test('are those of the file that comes first, where two have one name', () => {
    const same = network('net1', { ipam: IPAM })
    expect(found(list({}), near({ networks: [{ ...same, file: 'a.conflist' }] }))).toEqual([
      'warning: name: network "net1" stands in a.conflist, too; runtimes take the file that comes first',
    ])
  })

  test('that meet the range of Services are an error', () => {
    expect(found(list({}), near({ serviceRanges: ['10.96.0.0/12' as Cidr, '10.16.0.0/12' as Cidr] }))).toEqual([
      'error: plugins[0].ipam.subnet: 10.22.0.0/16 overlaps with the range of Services, 10.16.0.0/12; a pod there could not be reached',
    ])
  })

  test('that meet a route of the node are a warning, unless it is their own bridge’s', () => {
    const routes = [
      { destination: '10.22.0.0/16' as Cidr, link: 'cni0' },
      { destination: '10.0.0.0/8' as Cidr, link: 'tun0' },
      { destination: '192.168.0.0/16' as Cidr, link: 'eth0' },
    ]
    expect(found(list({}), near({ routes }))).toEqual([
      'warning: plugins[0].ipam.subnet: 10.22.0.0/16 overlaps with a route of this node, 10.0.0.0/8 by tun0',
    ])
  })
})

test('findings are counted, and JSON has all of them', () => {
  const file = 'x.conflist'
  const findings = lint({ file, text: JSON.stringify(list({ mtu: 'x', color: 1 })) }, NO_NEIGHBOURS)
  expect(findingsText([{ file, findings }])).toContain('1 error, 1 warning')
  expect(findingsText([{ file, findings: [] }])).toBe('x.conflist: nothing is wrong with it.')
  expect(JSON.parse(findingsJson([{ file, findings }]))).toEqual({
    files: [
      {
        file,
        findings: [
          expect.objectContaining({ line: 1, severity: 'error', path: 'plugins[0].mtu' }),
          expect.objectContaining({ line: 1, severity: 'warning', path: 'plugins[0].color' }),
        ],
      },
    ],
  })
})
