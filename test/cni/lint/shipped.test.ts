import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { lint } from '#cni/lint/lint.ts'
import { NO_NEIGHBOURS } from '#cni/lint/rules/overlaps.ts'

// What runtimes and networks ship has nothing wrong with it; and whatever stands in a file, lint comes to its end.

const DEFAULT = [{ dst: '0.0.0.0/0' }]
const PORTMAP = { type: 'portmap', capabilities: { portMappings: true } }
const local = (subnet: string, more: object = {}) => ({
  type: 'host-local',
  ranges: [[{ subnet }]],
  routes: DEFAULT,
  ...more,
})
const bridge = (more: object) => ({ type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true, ...more })

const SHIPPED: Readonly<Record<string, { readonly cniVersion: string; readonly plugins: readonly object[] }>> = {
  'containerd’s example': {
    cniVersion: '1.0.0',
    plugins: [
      bridge({ promiscMode: true, ipam: local('10.88.0.0/16') }),
      { ...PORTMAP, externalSetMarkChain: 'KUBE-MARK-MASQ' },
    ],
  },
  'podman’s default': {
    cniVersion: '0.4.0',
    plugins: [
      bridge({ hairpinMode: true, ipam: local('10.88.0.0/16') }),
      PORTMAP,
      { type: 'firewall', backend: '' },
      { type: 'tuning' },
    ],
  },
  'flannel’s': {
    cniVersion: '0.3.1',
    plugins: [{ type: 'flannel', delegate: { hairpinMode: true, isDefaultGateway: true } }, PORTMAP],
  },
  'calico’s': {
    cniVersion: '0.3.1',
    plugins: [
      {
        type: 'calico',
        log_level: 'info',
        nodename: 'n1',
        mtu: 0,
        ipam: { type: 'calico-ipam' },
        policy: { type: 'k8s' },
      },
      { ...PORTMAP, snat: true },
      { type: 'bandwidth', capabilities: { bandwidth: true } },
    ],
  },
  'kindnet’s': {
    cniVersion: '0.3.1',
    plugins: [{ type: 'ptp', ipMasq: false, mtu: 1500, ipam: local('10.244.0.0/24') }, PORTMAP],
  },
  'cilium’s': { cniVersion: '0.3.1', plugins: [{ type: 'cilium-cni', 'enable-debug': false, 'log-file': '/x' }] },
  'an example of macvlan': {
    cniVersion: '1.0.0',
    plugins: [
      {
        type: 'macvlan',
        master: 'eth0',
        mode: 'bridge',
        ipam: { type: 'static', addresses: [{ address: '10.1.0.1/24' }] },
      },
      { type: 'tuning', sysctl: { 'net.core.somaxconn': '500' }, promisc: true },
    ],
  },
}

const found = (text: string, file = 'a.conflist') => lint({ file, text }, NO_NEIGHBOURS)

test.each(Object.keys(SHIPPED))('%s configuration has nothing wrong with it', name => {
  expect(found(JSON.stringify({ name: 'net1', ...SHIPPED[name] }))).toEqual([])
})

describe('lint comes to its end', () => {
  test('on a configuration in which letters were lost, changed and added', () => {
    const whole = JSON.stringify({ name: 'net1', ...SHIPPED['podman’s default'] }, undefined, 1)
    const change = fc.record({ at: fc.nat(whole.length), cut: fc.nat(8), put: fc.string({ maxLength: 3 }) })
    fc.assert(
      fc.property(fc.array(change, { maxLength: 5 }), changes => {
        const text = changes.reduce((now, { at, cut, put }) => now.slice(0, at) + put + now.slice(at + cut), whole)
        for (const { line, column } of found(text)) expect(Math.min(line, column)).toBeGreaterThan(0)
      }),
      { numRuns: 300 },
    )
  })

  test('on any values in the places that are looked at', () => {
    const keys = [
      'type',
      'ipam',
      'subnet',
      'ranges',
      'routes',
      'dst',
      'gw',
      'gateway',
      'rangeStart',
      'bridge',
      'isGateway',
      'vlanTrunk',
      'id',
      'capabilities',
      'portMappings',
      'dns',
      'mtu',
      'cooldown',
      'name',
      'cniVersion',
      'cniVersions',
      'plugins',
      'plugin',
    ]
    const words = fc.constantFrom(
      'bridge',
      'portmap',
      'host-local',
      'switchyard',
      'static',
      '10.0.0.0/8',
      '10.0.0.1',
      '',
      'x',
    )
    const { value } = fc.letrec(tie => ({
      value: fc.oneof(
        { maxDepth: 5 },
        words,
        fc.boolean(),
        fc.integer(),
        fc.constant(null),
        tie('list'),
        tie('object'),
      ),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(fc.constantFrom(...keys), tie('value'), { maxKeys: 6 }),
    }))
    fc.assert(
      fc.property(value, fc.constantFrom('a.conflist', 'a.conf', '-'), (json, file) => {
        found(JSON.stringify(json), file)
      }),
      { numRuns: 1000 },
    )
  })
})
