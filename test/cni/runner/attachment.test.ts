import { expect, test } from 'vitest'
import { attachmentVariables, pluginConfig, withCapabilities } from '#cni/runner/attachment.ts'
import { parseNetworkList } from '#cni/runner/network-list.ts'
import { ONE_ADDRESS } from '../parts.ts'

const NETWORK = parseNetworkList('{"cniVersion": "1.0.0", "name": "net1", "plugins": [{"type": "bridge"}]}')

test('arguments are pairs, separated by semicolons, in their order', () => {
  const attachment = { container: 'c1', ifname: 'eth0', netns: '', capabilities: {} }
  const args = [
    ['B', '1'],
    ['A', 'x=y'],
    ['B', ''],
  ] as const
  expect(attachmentVariables({ ...attachment, args })).toEqual({
    ...{ CNI_CONTAINERID: 'c1', CNI_IFNAME: 'eth0', CNI_NETNS: '', CNI_ARGS: 'B=1;A=x=y;B=' },
  })
})

test('a plugin has name and version of its network, whatever it says itself, and the result before it in that version', () => {
  const plugin = { type: 'bridge', name: 'other', cniVersion: '0.1.0', mtu: 1400 }
  const named = { type: 'bridge', name: 'net1', cniVersion: '1.0.0', mtu: 1400 }
  expect(pluginConfig(NETWORK, plugin)).toEqual(named)
  const prevResult = { cniVersion: '1.0.0', ips: [{ address: '10.9.0.3/29' }], dns: {} }
  expect(pluginConfig(NETWORK, plugin, ONE_ADDRESS)).toEqual({ ...named, prevResult })
})

test.each([
  [{ capabilities: { ips: true, mac: false, dns: 'true' } }, { ips: [] }],
  [{ capabilities: { portMappings: true } }, undefined],
  [{ capabilities: { toString: true, constructor: true, __proto__: true } }, undefined],
  [{ capabilities: null }, undefined],
  [{}, undefined],
])('a plugin that declares %j hears %j of its runtime', (config, heard) => {
  const given = withCapabilities(config, { ips: [], mac: 'x', dns: {} })
  expect(given).toEqual(heard === undefined ? config : { ...config, runtimeConfig: heard })
  expect(Object.hasOwn(given, 'runtimeConfig')).toBe(heard !== undefined)
})

test('capabilities that are no object are an error that names them', () => {
  expect(() => withCapabilities({ capabilities: ['ips'] }, {})).toThrow(
    'capabilities: ["ips"] is not an object in braces',
  )
})
