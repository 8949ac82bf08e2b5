import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { readConfiguration } from '#config/kube-proxy-configuration.ts'
import { configurationYaml } from '#config/shown/effective.ts'
import { KINDS } from '#config/table/kinds.ts'
import { FIELDS } from '#config/table/table.ts'
import { accepted, HEADER, parse, problems, warnings } from './parsing.ts'

const settingsOf = async (file: string) => (await accepted({ file })).settings

describe('refused, with the place and what would be right', () => {
  test.each([
    ['clusterCIDR: [10.0.0.0/8]', 'clusterCIDR, line 3, column 14: ["10.0.0.0/8"] is not a string'],
    ['hostnameOverride: 123', 'hostnameOverride, line 3, column 19: 123 is not a string'],
    ['conntrack: 5', 'conntrack, line 3, column 12: 5 is not a map of settings'],
    ['conntrack: {min: many}', 'conntrack.min, line 3, column 18: "many" is not a whole number'],
    ['conntrack: {min: 1.5}', 'conntrack.min, line 3, column 18: 1.5 is not a whole number'],
    [
      'iptables: {syncPeriod: 30}',
      'iptables.syncPeriod, line 3, column 24: 30 is not a duration such as "30s", "250ms" or "1h30m"',
    ],
    ['nodePortAddresses: 10.0.0.0/8', 'nodePortAddresses, line 3, column 20: "10.0.0.0/8" is not a list of strings'],
    ['nodePortAddresses: [1]', 'nodePortAddresses, line 3, column 20: [1] is not a list of strings'],
    ['enableProfiling: 1', 'enableProfiling, line 3, column 18: 1 is not true or false'],
    [
      'featureGates: {A: maybe}',
      'featureGates, line 3, column 15: {"A":"maybe"} is not a map of gate names to true or false',
    ],
    [
      'logging: {vmodule: [{filePattern: a}]}',
      'logging.vmodule, line 3, column 20: [{"filePattern":"a"}] is not a list of file patterns with a verbosity each, such as "report=4"',
    ],
    [
      'logging: {options: {text: {infoBufferSize: big}}}',
      'logging.options.text.infoBufferSize, line 3, column 44: "big" is not a quantity such as 0, "64Ki" or "1M"',
    ],
    ['mode: *nowhere', 'not usable YAML: Unresolved alias (the anchor must be set before the alias): nowhere'],
    [
      '<<: {mode: ipvs}',
      '<<, line 3, column 5: {"mode":"ipvs"} is not understood: merge keys are not, so write the settings out',
    ],
    [
      'a: [b\nc: d',
      'not YAML, line 4, column 1: Flow sequence in block collection must be sufficiently indented and end with a ]',
    ],
  ])('%j', async (file, problem) => {
    expect(await problems({ file })).toEqual([`proxy.conf: ${problem}`])
  })

  test.each([
    [
      '',
      [
        'apiVersion: is missing; "kubeproxy.config.k8s.io/v1alpha1" is wanted',
        'kind: is missing; "KubeProxyConfiguration" is wanted',
      ],
    ],
    [
      'apiVersion: kubeproxy.config.k8s.io/v1beta9\nkind: KubeProxyConfiguration',
      ['apiVersion: "kubeproxy.config.k8s.io/v1beta9" is not known; "kubeproxy.config.k8s.io/v1alpha1" is wanted'],
    ],
    [
      'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeletConfiguration',
      ['kind: "KubeletConfiguration" is not known; "KubeProxyConfiguration" is wanted'],
    ],
    ['- a', ['the file holds ["a"]; a map is wanted, beginning with "apiVersion: kubeproxy.config.k8s.io/v1alpha1"']],
  ])('without its header: %j', (text, expected) => {
    expect(readConfiguration(text).problems).toEqual(expected)
  })

  test('everything wrong with form and values is reported at once', async () => {
    const file = 'mode: foo\nconntrack: {min: x}\niptables: {masqueradeBit: 40}\n'
    expect(await parse({ file })).toEqual({
      ok: false,
      usage: false,
      problems: [
        'proxy.conf: conntrack.min, line 4, column 18: "x" is not a whole number',
        'proxy.conf: mode (--proxy-mode), line 3, column 1: invalid value "foo": must be userspace, iptables, ipvs or nftables, or empty for iptables',
        'proxy.conf: iptables.masqueradeBit (--iptables-masquerade-bit), line 5, column 12: invalid value 40: must be within the range [0, 31]',
      ],
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

test('no text makes it throw', () => {
  const line = fc.oneof(
    fc.string(),
    fc.constantFrom(...FIELDS.map(({ field }) => `${field.split('.').join(': {')}: `)),
    fc.string().map(text => `mode: ${text}`),
  )
  fc.assert(
    fc.property(fc.array(line), lines => {
      const { problems } = readConfiguration(HEADER + lines.join('\n'))
      return problems.every(problem => problem.length > 0)
    }),
  )
})
