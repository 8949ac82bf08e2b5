import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { PLUGINS } from '#cni/daemon/machine.ts'
import { OwnPlugins } from '#cni/delegation/own-plugins.ts'
import { lint } from '#cni/lint/lint.ts'
import { findingsText } from '#cni/lint/report.ts'
import { NO_NEIGHBOURS } from '#cni/lint/rules/overlaps.ts'
import { bridgeConfiguration } from '#cni/plugins/bridge/configuration.ts'
import { hostLocalConfig } from '#cni/plugins/host-local/configuration.ts'
import { portmapConfig } from '#cni/plugins/portmap/mapping.ts'
import { decodeConfig } from '#cni/protocol/decode.ts'
import { pluginConfig } from '#cni/runner/attachment.ts'
import { parseNetworkList } from '#cni/runner/network-list.ts'
import { requestOf } from '../requests.ts'
import { BRIDGE, found, list, single } from './configurations.ts'

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

describe('what lint finds no error in', () => {
  const words = fc.constantFrom(
    ...[
      '',
      'bridge',
      'switchyard',
      'host-local',
      'nftables',
      'cni1',
      '10.1.0.0/16',
      '10.1.0.1',
      'fd00::/64',
      '30s',
      '-1s',
    ],
    ...['a name', 'eth0', '../x', 'KUBE-MARK-MASQ', '1.0.0', 'true', 'portmap'],
  )
  const plain = fc.oneof(words, fc.constantFrom(null, true, false, 0, -1, 5, 1500, 4095, 70_000, 0.5))
  const below = fc.dictionary(
    fc.constantFrom(
      ...['subnet', 'rangeStart', 'rangeEnd', 'gateway', 'dst', 'gw', 'mtu', 'scope', 'table', 'id', 'minID', 'maxID'],
      ...['nameservers', 'domain', 'search', 'options', 'portMappings', 'Dst', 'type'],
    ),
    fc.oneof(plain, fc.array(plain, { maxLength: 2 })),
    { maxKeys: 3 },
  )
  const item = fc.oneof(plain, below, fc.array(fc.oneof(plain, below), { maxLength: 2 }))
  const value = fc.oneof(item, fc.array(item, { maxLength: 2 }))
  const places = [
    ...['name', 'cniVersion', 'cniVersions', 'plugins', 'disableCheck', 'disableGC', 'loadOnlyInlinedPlugins'],
    ...['type', 'bridge', 'isGateway', 'ipMasq', 'ipMasqBackend', 'mtu', 'hairpinMode', 'promiscMode', 'vlan'].map(
      key => `0.${key}`,
    ),
    ...['vlanTrunk', 'macspoofchk', 'capabilities', 'dns', 'ipam', 'plugin', 'portIsolation', 'MTU'].map(
      key => `0.${key}`,
    ),
    ...['type', 'subnet', 'ranges', 'rangeStart', 'gateway', 'routes', 'cooldown', 'overlap'].map(
      key => `0.ipam.${key}`,
    ),
    ...['resolvConf', 'onDuplicate', 'dataDir', 'Subnet'].map(key => `0.ipam.${key}`),
    ...['snat', 'markMasqBit', 'externalSetMarkChain', 'conditionsV4', 'backend', 'capabilities'].map(
      key => `1.${key}`,
    ),
  ]
  const own = new OwnPlugins(PLUGINS)
  const change = fc.tuple(fc.constantFrom(...places), value)

  const changed = (changes: readonly (readonly [string, unknown])[]): string => {
    const config = structuredClone(
      list({}, { plugins: [BRIDGE, { type: 'portmap', capabilities: { portMappings: true } }] }),
    )
    const plugins = config.plugins as unknown as Record<string, unknown>[]
    for (const [place, given] of changes) {
      const keys = place.split('.')
      const last = keys.pop()!
      const owner =
        keys.length === 0 ? config : keys.length === 1 ? plugins[Number(keys[0])] : plugins[Number(keys[0])]?.ipam
      if (typeof owner === 'object' && owner !== null) (owner as Record<string, unknown>)[last] = structuredClone(given)
    }
    return JSON.stringify(config)
  }

  test('is read by the runner, and refused by no plugin of ours', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 3 }), changes => {
        const text = changed(changes)
        if (lint({ file: 'a.conflist', text }, NO_NEIGHBOURS).some(({ severity }) => severity === 'error')) return
        const network = parseNetworkList(text)
        for (const plugin of network.plugins) {
          const stdin = JSON.stringify(pluginConfig(network, plugin))
          const config = decodeConfig(stdin, { command: 'ADD', type: String(plugin.type) })
          const request = { ...requestOf(), config }
          const meant = own.attaching(String(plugin.type), config)?.type
          if (meant === 'portmap') portmapConfig(request)
          else if (meant === 'bridge') {
            bridgeConfiguration(request)
            // The other name of it may have its ranges from the node.
            if (config.ipam?.type === 'host-local') hostLocalConfig(request)
          }
        }
      }),
      { numRuns: 2000 },
    )
  })
})
