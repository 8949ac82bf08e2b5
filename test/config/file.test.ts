import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { readConfiguration } from '#config/kube-proxy-configuration.ts'
import { configurationYaml } from '#config/shown/effective.ts'
import { KINDS } from '#config/table/kinds.ts'
import { FIELDS } from '#config/table/table.ts'
import { accepted, HEADER, warnings } from './parsing.ts'

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

describe('every field of the file', () => {
  /** A value of each kind that is not the default, as it stands in the file. */
  const OTHER: Readonly<Record<string, unknown>> = {
    mode: 'ipvs',
    bindAddress: '10.0.0.1',
    clusterCIDR: '10.1.0.0/16',
    detectLocalMode: 'NodeCIDR',
    nodePortAddresses: ['10.0.0.0/8'],
    'ipvs.excludeCIDRs': ['10.0.0.0/8'],
    healthzBindAddress: '10.0.0.1:1',
    metricsBindAddress: '10.0.0.1:2',
    portRange: '1000-2000',
    showHiddenMetricsForVersion: '1.35',
    'logging.format': 'json',
    'iptables.localhostNodePorts': false,
  }
  const BY_KIND: Readonly<Record<string, unknown>> = {
    text: 'x',
    path: 'x',
    switch: true,
    int: 7,
    count: 7,
    float: 7.5,
    duration: '7s',
    flush: '7s',
    quantity: '64Ki',
    gates: { IPv6DualStack: true },
    vmodule: [{ filePattern: 'lane', verbosity: 4 }],
  }

  test.each(FIELDS)('$field', async ({ field, kind }) => {
    const given = OTHER[field] ?? BY_KIND[kind]
    const text = configurationYaml(nested(field, given))
    const { fields, problems, warnings } = readConfiguration(HEADER + text)
    expect({ problems, warnings }).toEqual({ problems: [], warnings: [] })
    expect([...fields.keys()]).toEqual([field])
    expect(KINDS[kind].toFile(fields.get(field)!.value)).toEqual(given)
  })

  function nested(path: string, value: unknown): Record<string, unknown> {
    const at = path.indexOf('.')
    return at < 0 ? { [path]: value } : { [path.slice(0, at)]: nested(path.slice(at + 1), value) }
  }
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

describe('lenient', () => {
  test.each([
    ['bogusField: 1', 'unknown field bogusField, line 3, column 1, is ignored'],
    [
      'ipvs:\n  schedular: rr',
      'unknown field ipvs.schedular, line 4, column 3, is ignored; did you mean ipvs.scheduler?',
    ],
    ['Mode: ipvs', 'unknown field Mode, line 3, column 1, is ignored; did you mean mode?'],
    ['mode: ipvs\nmode: iptables', 'mode is given twice, in line 3 and in line 4; the later one counts'],
    ['---\nmode: ipvs', 'the file holds several documents; only the first one counts'],
  ])('%j', async (file, warning) => {
    expect(await warnings({ file })).toEqual([`proxy.conf: ${warning}`])
    expect((await settingsOf(file)).mode).toBe('iptables')
  })

  test('a section that is given twice counts as given last, as in Go', async () => {
    const settings = await settingsOf('iptables: {masqueradeBit: 3}\niptables: {masqueradeAll: true}')
    expect(settings).toMatchObject({ masqueradeBit: 14, masqueradeAll: true })
  })

  test.each(['yes', 'on', 'true', 'True'])('a switch may say %s, as in the YAML that Go reads', async word => {
    expect((await settingsOf(`bindAddressHardFail: ${word}`)).bindAddressHardFail).toBe(true)
  })

  test('JSON, indented with tabs, is as good', async () => {
    const text =
      '{\n\t"apiVersion": "kubeproxy.config.k8s.io/v1alpha1",\n\t"kind": "KubeProxyConfiguration",\n\t"mode": "ipvs"\n}\n'
    expect(await parseArguments('run', ['--config=x'], async () => text)).toMatchObject({
      ok: true,
      settings: { mode: 'ipvs' },
    })
  })

  test('anchors are followed', async () => {
    expect((await settingsOf('clusterCIDR: &c 10.0.0.0/8\nnodePortAddresses: [*c]')).nodePortAddresses).toEqual([
      '10.0.0.0/8',
    ])
  })
})
