import { describe, expect, test } from 'vitest'
import type { ServiceSpec } from '#ipam/services/spec/service-spec.ts'
import { changeProblems } from '#ipam/services/spec/unchanged.ts'

const one: ServiceSpec = {
  clusterIP: '10.96.0.7',
  clusterIPs: ['10.96.0.7'],
  ipFamilies: ['IPv4'],
  ipFamilyPolicy: 'SingleStack',
}
const two: ServiceSpec = {
  ...{ clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00::7'] },
  ...{ ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' },
}
const headless: ServiceSpec = { clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] }
const local: ServiceSpec = { ...one, type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 30_100 }
const { clusterIPs: _, ...old } = one

describe('what may become of a Service', () => {
  test.each<[string, ServiceSpec, ServiceSpec]>([
    ['nothing', two, two],
    ['a second address', two, one],
    ['one address, by the policy', { ...one, ipFamilyPolicy: 'SingleStack' }, two],
    ['an address where there was none', one, { ...one, clusterIP: '', clusterIPs: [] }],
    ['a list where there was one address alone', one, old],
    ['a name elsewhere', { type: 'ExternalName' }, two],
    ['no name elsewhere any more', two, { type: 'ExternalName' }],
    ['another family of a headless one, whose endpoints follow', { ...headless, ipFamilies: ['IPv6'] }, headless],
    [
      'no port for health checks, by the policy',
      { ...one, type: 'LoadBalancer', externalTrafficPolicy: 'Cluster' },
      local,
    ],
    ['a port for health checks', local, { ...local, externalTrafficPolicy: 'Cluster', healthCheckNodePort: 0 }],
  ])('%s', (_, spec, before) => {
    expect(changeProblems(spec, before)).toEqual([])
  })
})

describe('what may not', () => {
  const other = { clusterIP: '10.96.0.8', clusterIPs: ['10.96.0.8'] }
  test.each<[string, ServiceSpec, ServiceSpec, readonly string[]]>([
    ['another address', { ...one, ...other }, one, ['spec.clusterIPs[0] may not change once set']],
    [
      'another one than the one that old Services have alone',
      { ...one, ...other },
      old,
      ['spec.clusterIPs[0] may not change once set'],
    ],
    ['None', headless, one, ['spec.clusterIPs[0] may not change once set']],
    ['an address of a headless one', one, headless, ['spec.clusterIPs[0] may not change once set']],
    [
      'the two in another order',
      { ...two, clusterIP: 'fd00::7', clusterIPs: ['fd00::7', '10.96.0.7'], ipFamilies: ['IPv6', 'IPv4'] },
      two,
      [0, 1]
        .flatMap(i => `spec.clusterIPs[${i}] may not change once set`)
        .concat([0, 1].map(i => `spec.ipFamilies[${i}] may not change once set`)),
    ],
    [
      'another second address',
      { ...two, clusterIPs: ['10.96.0.7', 'fd00::8'] },
      two,
      ['spec.clusterIPs[1] may not change once set'],
    ],
    [
      'no address',
      { ...one, clusterIP: '', clusterIPs: [] },
      one,
      ['spec.clusterIPs[0] primary clusterIP can not be unset'],
    ],
    [
      'one address, without the policy',
      { ...one, ipFamilyPolicy: 'PreferDualStack' },
      two,
      ["spec.ipFamilyPolicy must be set to 'SingleStack' when releasing the secondary clusterIP"],
    ],
    [
      'a second address behind another first one',
      { ...two, clusterIP: '10.96.0.8', clusterIPs: ['10.96.0.8', 'fd00::7'] },
      one,
      ['spec.clusterIPs[0] may not change once set'],
    ],
    [
      'another port for health checks',
      { ...local, healthCheckNodePort: 30_101 },
      local,
      ['spec.healthCheckNodePort field is immutable'],
    ],
  ])('%s', (_, spec, before, problems) => {
    const said = changeProblems(spec, before).map(
      ({ field, message }) => `${field} ${message.replace(/^Invalid value: .*?: /, '')}`,
    )
    expect(said).toEqual(problems)
  })
})
