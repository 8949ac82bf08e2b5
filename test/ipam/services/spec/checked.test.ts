import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fieldProblems } from '#ipam/services/spec/checked.ts'
import type { ServiceSpec } from '#ipam/services/spec/service-spec.ts'

const said = (spec: object) => fieldProblems(spec as ServiceSpec).map(({ field, message }) => `${field}: ${message}`)
const listed = (...clusterIPs: readonly string[]) => ({ clusterIP: clusterIPs[0], clusterIPs })

describe('a Service', () => {
  test.each<[string, object, string]>([
    ['no address', listed('10.96.0.300'), 'spec.clusterIPs[0]: Invalid value: "10.96.0.300": must be a valid IP'],
    ['an address with leading zeros', listed('10.96.0.07'), 'spec.clusterIPs[0]: Invalid value: "10.96.0.07"'],
    ['no second address', listed('10.96.0.7', 'x'), 'spec.clusterIPs[1]: Invalid value: "x"'],
    ['lists alone', { clusterIPs: ['10.96.0.7'] }, 'must be empty when `clusterIP` is not specified'],
    ['two that differ', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.8'] }, 'first value must match `clusterIP`'],
    ['None and more', listed('None', '10.96.0.7'), "'None' must be the first and only value"],
    ['more and None', listed('10.96.0.7', 'None'), "'None' must be the first and only value"],
    ['two of a family', listed('10.96.0.7', '10.96.0.8'), 'may specify no more than one IP for each IP family'],
    ['three', listed('10.96.0.7', 'fd00::7', '10.96.0.8'), 'may only hold up to 2 values'],
    ['another family', { ...listed('10.96.0.7'), ipFamilies: ['IPv6'] }, 'expected an IPv6 value as indicated by'],
    [
      'families in another order',
      { ...listed('10.96.0.7', 'fd00::7'), ipFamilies: ['IPv4', 'IPv4'] },
      'spec.clusterIPs[1]: Invalid value: "fd00::7": expected an IPv4 value as indicated by `ipFamilies[1]`',
    ],
    ['a family twice', { ipFamilies: ['IPv4', 'IPv4'] }, 'spec.ipFamilies[1]: Duplicate value: "IPv4"'],
    [
      'no family',
      { ipFamilies: ['ipv4'] },
      'spec.ipFamilies[0]: Unsupported value: "ipv4": supported values: "IPv4", "IPv6"',
    ],
    [
      'a policy there is not',
      { ipFamilyPolicy: 'Both' },
      'Unsupported value: "Both": supported values: "PreferDualStack"',
    ],
    [
      'a family that a headless one cannot have',
      { ...listed('None'), ipFamilies: ['x'] },
      'spec.ipFamilies[0]: Unsupported',
    ],
    [
      'node ports of a type without',
      { ports: [{ port: 80 }, { port: 81, nodePort: 30_001 }] },
      "spec.ports[1].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
    ],
    [
      'None where node ports are',
      { type: 'LoadBalancer', ...listed('None') },
      'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for LoadBalancer services',
    ],
  ])('with %s is refused', (_, spec, why) => {
    expect(said(spec).join('\n')).toContain(why)
  })

  test.each<[string, object]>([
    ['nothing', {}],
    ['one address', listed('10.96.0.7')],
    ['one of each family, and their names', { ...listed('fd00::7', '10.96.0.7'), ipFamilies: ['IPv6', 'IPv4'] }],
    ['None', { ...listed('None'), ipFamilies: ['IPv6'] }],
    ['node ports, where its type has them', { type: 'NodePort', ports: [{ port: 80, nodePort: 30_001 }] }],
    ['a node port of zero, which is none', { ports: [{ port: 80, nodePort: 0 }] }],
    ['a family of an address that is not there yet', { ...listed('10.96.0.7'), ipFamilies: ['IPv4', 'IPv6'] }],
    ['a name elsewhere, and empty addresses', { type: 'ExternalName', clusterIP: '', clusterIPs: [], ipFamilies: [] }],
  ])('with %s is not', (_, spec) => {
    expect(said(spec)).toEqual([])
  })

  test('that is a name elsewhere may have no address, family or node port; all of it is said at once', () => {
    const spec = {
      ...{ type: 'ExternalName', ...listed('10.96.0.7'), ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' },
      ports: [{ port: 80, nodePort: 30_001 }],
    }
    expect(said(spec).map(text => text.split(':')[0])).toEqual([
      ...['spec.clusterIP', 'spec.clusterIPs', 'spec.ipFamilies', 'spec.ipFamilyPolicy', 'spec.ports[0].nodePort'],
    ])
  })

  test('has problems that name a field, whatever its texts are', () => {
    const text = fc.oneof(fc.constantFrom('None', '', '10.96.0.7', 'fd00::7', 'IPv4', 'IPv6'), fc.string())
    const spec = fc.record(
      {
        type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
        clusterIP: text,
        clusterIPs: fc.array(text, { maxLength: 3 }),
        ipFamilies: fc.array(text, { maxLength: 3 }),
        ipFamilyPolicy: text,
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(spec, given => {
        for (const { field, message } of fieldProblems(given as ServiceSpec)) {
          expect(field).toMatch(/^spec\.[a-zA-Z]+(\[\d\])?$/)
          expect(message).not.toMatch(/undefined|\[object/)
        }
      }),
    )
  })
})
