import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConfiguration } from '#config/kube-proxy-configuration.ts'
import { FIELDS } from '#config/table/table.ts'
import { HEADER, parse, problems } from './parsing.ts'

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
