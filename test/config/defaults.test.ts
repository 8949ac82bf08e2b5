import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { accepted, settings, warnings } from './parsing.ts'

const fixture = (name: string) => new URL(`../../fixtures/config/${name}`, import.meta.url)
const settingsOf = async (file: string, ...argv: readonly string[]) => (await accepted({ file, argv })).settings

describe("kubeadm's own file", () => {
  const parsed = async () =>
    parseArguments('run', ['--config=k.conf'], () => readFile(fixture('kubeadm-config.conf'), 'utf8'))

  test('works unchanged and without a word', async () => {
    expect(await parsed()).toMatchObject({ ok: true, warnings: [] })
  })

  test('its zeros and nulls are the defaults', async () => {
    const result = await parsed()
    const bare = await accepted({ file: '' })
    if (!result.ok) throw new Error('refused')
    expect(result.settings).toEqual({
      ...bare.settings,
      configFile: 'k.conf',
      kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf',
      clusterCIDRs: ['10.244.0.0/16'],
    })
  })
})

describe('precedence', () => {
  test('the file wins, but for what kube-proxy lets through', async () => {
    const file = 'mode: nftables\nhostnameOverride: from-file\nlogging: {verbosity: 2, format: json}\n'
    const argv = [
      '--proxy-mode=ipvs',
      '--hostname-override=HHH',
      '-v=7',
      '--master=https://m',
      '--cluster-cidr=10.0.0.0/8',
    ]
    expect(await settingsOf(file, ...argv)).toMatchObject({
      mode: 'nftables',
      hostnameOverride: 'hhh',
      master: 'https://m',
      clusterCIDRs: [],
      logging: { verbosity: 7, format: 'json' },
    })
    expect(await warnings({ file, argv })).toEqual([
      '--config "proxy.conf" is given, so these flags are ignored: --proxy-mode (mode), --cluster-cidr (clusterCIDR); set them in the file',
    ])
  })

  test('an empty --hostname-override takes nothing back', async () => {
    expect(await settingsOf('hostnameOverride: a', '--hostname-override=')).toMatchObject({ hostnameOverride: 'a' })
  })

  test('vmodule lists are joined, those of the flag first', async () => {
    const file = 'logging: {vmodule: [{filePattern: a, verbosity: 1}]}'
    expect((await settingsOf(file, '--vmodule=b=2')).logging.vmodule).toEqual([
      { pattern: 'b', verbosity: 2 },
      { pattern: 'a', verbosity: 1 },
    ])
  })

  test('the deprecated port flags mean nothing beside a file', async () => {
    expect((await settingsOf('', '--healthz-port=0')).healthz).toEqual({ host: '0.0.0.0', port: 10_256 })
  })

  test('cleanup and the like still count', async () => {
    expect(await accepted({ file: '', argv: ['--cleanup'] })).toMatchObject({ action: 'cleanup' })
    expect(await accepted({ file: '', argv: ['--init-only'] })).toMatchObject({ action: 'init-only' })
    expect(await accepted({ file: '', argv: ['--write-config-to=x'] })).toMatchObject({ action: 'write-config' })
  })
})

describe('zeros', () => {
  test.each([
    ['', 1000],
    ['iptables: {minSyncPeriod: 0s}', 0],
    ['iptables: {minSyncPeriod: 0s, syncPeriod: 10s}', 0],
    ['iptables: {minSyncPeriod: 0s, syncPeriod: 0s}', 1000],
    ['iptables: {minSyncPeriod: 0, syncPeriod: null}', 0],
    ['mode: nftables\nnftables: {minSyncPeriod: 0s}', 0],
    ['mode: nftables\nnftables: {minSyncPeriod: 0s, syncPeriod: 0s}', 1000],
    ['mode: ipvs', 0],
    ['mode: ipvs\nipvs: {minSyncPeriod: 2s}', 2000],
  ])('minSyncPeriod of %j is %d ms', async (file, ms) => {
    expect((await settingsOf(file)).minSyncPeriodMs).toBe(ms)
  })

  test('of a pointer in Go are values, of the rest mean not given', async () => {
    const file = `
oomScoreAdj: 0
iptables: {masqueradeBit: 0, localhostNodePorts: false, syncPeriod: 0s}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
healthzBindAddress: ""
metricsBindAddress: ""
udpIdleTimeout: 0s
`
    expect(await settingsOf(file)).toMatchObject({
      oomScoreAdj: 0,
      masqueradeBit: 0,
      iptables: { localhostNodePorts: false },
      syncPeriodMs: 30_000,
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeoutMs: 0, tcpCloseWaitTimeoutMs: 0 },
      healthz: { host: '0.0.0.0', port: 10_256 },
      metrics: { host: '127.0.0.1', port: 10_249 },
      userspace: { udpTimeoutMs: 250 },
    })
  })
})

describe('server addresses', () => {
  test('follow the family of bindAddress', async () => {
    expect(await settingsOf('bindAddress: "::"')).toMatchObject({
      healthz: { host: '::', port: 10_256 },
      metrics: { host: '::1', port: 10_249 },
    })
  })

  test('get their port where they name none', async () => {
    expect(await settingsOf('healthzBindAddress: 10.0.0.1\nmetricsBindAddress: "::1"')).toMatchObject({
      healthz: { host: '10.0.0.1', port: 10_256 },
      metrics: { host: '::1', port: 10_249 },
    })
  })
})

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
})
