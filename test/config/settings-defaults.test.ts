import { describe, expect, test } from 'vitest'
import { nodeName } from '#config/settings.ts'
import { settings } from './parsing.ts'

describe('what is left empty', () => {
  test('mode and detectLocalMode have their defaults', async () => {
    expect(await settings('--proxy-mode=', '--detect-local-mode=')).toMatchObject({
      mode: 'iptables',
      detectLocal: { mode: 'ClusterCIDR' },
    })
  })

  test('node ports answer everywhere, in nftables mode on the primary addresses', async () => {
    expect((await settings()).nodePortAddresses).toEqual([])
    expect((await settings('--proxy-mode=nftables')).nodePortAddresses).toBe('primary')
    expect((await settings('--proxy-mode=nftables', '--nodeport-addresses=10.0.0.0/8')).nodePortAddresses).toEqual([
      '10.0.0.0/8',
    ])
  })

  test('an empty address or port 0 turns a server off', async () => {
    const off = ['--healthz-bind-address=', '--metrics-bind-address=']
    expect(await settings(...off)).not.toHaveProperty('healthz')
    expect(await settings(...off)).not.toHaveProperty('metrics')
    expect(await settings('--healthz-port=0')).not.toHaveProperty('healthz')
    expect(await settings('--metrics-port=0')).not.toHaveProperty('metrics')
  })

  test('optional settings are absent, not empty', async () => {
    const optional = ['kubeconfig', 'master', 'configFile', 'writeConfigTo', 'hostnameOverride', 'family']
    expect(Object.keys(await settings()).filter(name => optional.includes(name))).toEqual([])
  })
})

test('the 1.20 mode and its flags are taken', async () => {
  const taken = await settings('--proxy-mode=userspace', '--udp-timeout=1s', '--proxy-port-range=30000-30010')
  expect(taken).toMatchObject({
    mode: 'userspace',
    syncPeriodMs: 30_000,
    userspace: { portRange: { first: 30_000, last: 30_010 }, udpTimeoutMs: 1000 },
  })
})

test('the node is named by the override, or by the host, in lower case', () => {
  expect(nodeName({ hostnameOverride: 'a' }, 'B')).toBe('a')
  expect(nodeName({}, ' Host-1.Local\n')).toBe('host-1.local')
})

test('leading zeros are read as decimal, as kube-proxy does', async () => {
  const read = await settings(
    '--bind-address=010.0.0.01',
    '--cluster-cidr=10.010.0.0/16',
    '--healthz-bind-address=010.0.0.1:1',
  )
  expect(read).toMatchObject({ bindAddress: '10.0.0.1', clusterCIDRs: ['10.10.0.0/16'], healthz: { host: '10.0.0.1' } })
})
