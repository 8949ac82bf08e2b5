import { expect, test } from 'vitest'
import type { Verb } from '#config/verbs.ts'
import { accepted, settings } from './parsing.ts'

// Choices → typed settings. Which flag reaches which setting is in settings.test.ts.

const of = async (verb: Verb, ...argv: readonly string[]) => (await accepted({ verb, argv })).settings

test('optional settings are absent, not empty', async () => {
  const optional = ['kubeconfig', 'master', 'configFile', 'writeConfigTo', 'hostnameOverride', 'family']
  expect(Object.keys(await settings()).filter(name => optional.includes(name))).toEqual([])
  const { ipam, cni, podRanges } = await settings()
  expect([...Object.keys(ipam), ...Object.keys(cni), ...Object.keys(podRanges)]).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(network|at|confDir|importFrom|range|subnet)$/)]),
  )
})

test('the 1.20 mode and its flags are taken', async () => {
  const taken = await settings('--proxy-mode=userspace', '--udp-timeout=1s', '--proxy-port-range=30000-30010')
  expect(taken).toMatchObject({
    mode: 'userspace',
    syncPeriodMs: 30_000,
    userspace: { portRange: { first: 30_000, last: 30_010 }, udpTimeoutMs: 1000 },
  })
})

test('periods and masquerading are those of the chosen mode; userspace has those of iptables, and ipvs its masquerading', async () => {
  const file = [
    'iptables: {syncPeriod: 11s, minSyncPeriod: 1s, masqueradeBit: 1, masqueradeAll: true}',
    'ipvs: {syncPeriod: 12s, minSyncPeriod: 2s}',
    'nftables: {syncPeriod: 13s, minSyncPeriod: 3s, masqueradeBit: 3}',
  ].join('\n')
  const inMode = async (mode: string) => (await accepted({ file: `mode: ${mode}\n${file}` })).settings
  const own = { masqueradeBit: 1, masqueradeAll: true }
  expect(await inMode('iptables')).toMatchObject({ syncPeriodMs: 11_000, minSyncPeriodMs: 1000, ...own })
  expect(await inMode('userspace')).toMatchObject({ syncPeriodMs: 11_000, minSyncPeriodMs: 1000, ...own })
  expect(await inMode('ipvs')).toMatchObject({ syncPeriodMs: 12_000, minSyncPeriodMs: 2000, ...own })
  expect(await inMode('nftables')).toMatchObject({
    ...{ syncPeriodMs: 13_000, minSyncPeriodMs: 3000, masqueradeBit: 3, masqueradeAll: false },
  })
})

test('how pods are recognised has what its mode needs, and no more', async () => {
  const bridge = ['--pod-bridge-interface=br0', '--pod-interface-name-prefix=veth']
  expect((await settings(...bridge, '--detect-local-mode=BridgeInterface')).detectLocal).toEqual({
    ...{ mode: 'BridgeInterface', bridgeInterface: 'br0' },
  })
  expect((await settings(...bridge, '--detect-local-mode=InterfaceNamePrefix')).detectLocal).toEqual({
    ...{ mode: 'InterfaceNamePrefix', interfaceNamePrefix: 'veth' },
  })
  expect((await settings(...bridge, '--detect-local-mode=NodeCIDR')).detectLocal).toEqual({ mode: 'NodeCIDR' })
})

test.each([
  ['', 'table', 'text', false],
  ['wide', 'wide', 'text', false],
  ['json', 'json', 'json', false],
  // JSON is what is made into YAML.
  ['yaml', 'json', 'json', true],
])('--output=%s is %s for leases and %s for questions', async (word, ofLeases, ofQuestions, yaml) => {
  const read = await of('ipam', 'ls', `--output=${word}`)
  expect([read.ipam.output, read.questions.output, read.cni.output, read.yaml]).toEqual([
    ofLeases,
    ofQuestions,
    ofQuestions,
    yaml,
  ])
})

test('a version to report is one that begins with v', async () => {
  expect(await of('run', '--version=v1.36.0')).toMatchObject({ reportedVersion: 'v1.36.0' })
  expect(await of('run', '--version=raw')).not.toHaveProperty('reportedVersion')
})

test('node ports answer on primary addresses where that is the one word', async () => {
  expect((await settings('--nodeport-addresses=primary')).nodePortAddresses).toBe('primary')
  expect((await settings('--nodeport-addresses=10.0.0.0/8,fd00::/8')).nodePortAddresses).toEqual([
    '10.0.0.0/8',
    'fd00::/8',
  ])
})
