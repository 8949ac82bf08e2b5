import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withFamilies } from '#ipam/services/allocation/families.ts'
import { AllocationRefused } from '#ipam/services/allocation/refused.ts'
import type { IPFamily, IPFamilyPolicy, ServiceSpec } from '#ipam/services/spec/service-spec.ts'
import { DUAL, PaperServices } from './services.ts'

describe('two families', () => {
  const dual = () => new PaperServices({ cidrs: DUAL })
  const both: ServiceSpec = { ipFamilyPolicy: 'RequireDualStack' }

  test('are had where they are wanted, in the order that was named', () => {
    const services = dual()
    expect(services.put('a', {}).clusterIPs).toEqual(['10.96.1.1'])
    expect(services.put('b', both)).toMatchObject({ clusterIPs: ['10.96.1.2', 'fd00:96::101'] })
    const sixth = services.put('c', { ...both, ipFamilies: ['IPv6'] })
    expect(sixth).toMatchObject({ clusterIP: 'fd00:96::102', ipFamilies: ['IPv6', 'IPv4'] })
    expect(services.put('d', { clusterIP: 'fd00:96::7' })).toMatchObject({ ipFamilies: ['IPv6'] })
    expect(services.put('e', { clusterIP: 'None' })).toMatchObject({
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'RequireDualStack',
    })
  })

  test('are refused where the cluster has one, unless they are only preferred', () => {
    const services = new PaperServices()
    expect(services.put('a', { ipFamilyPolicy: 'PreferDualStack' }).clusterIPs).toEqual(['10.96.1.1'])
    expect(services.refusal('b', both)).toBe(
      'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services',
    )
    expect(services.refusal('b', { ipFamilies: ['IPv6'] })).toBe(
      'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster',
    )
    expect(services.refusal('b', { clusterIP: 'fd00:96::7' })).toContain('IPv6 is not configured on this cluster')
    expect(dual().refusal('b', { ipFamilies: ['IPv4', 'IPv6'] })).toContain(
      "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified",
    )
  })

  test('come and go with the policy, the first address stays', () => {
    const services = dual()
    const one = services.put('a', {})
    const two = services.put('a', { ...one, ipFamilyPolicy: 'PreferDualStack' })
    expect(two.clusterIPs).toEqual(['10.96.1.1', 'fd00:96::101'])
    expect(services.refusal('a', { ...two, clusterIPs: ['10.96.1.1'] })).toContain(
      "must be 'SingleStack' to release the secondary cluster IP",
    )
    const back = services.put('a', { ...two, ipFamilyPolicy: 'SingleStack' })
    expect(back).toMatchObject({ clusterIPs: ['10.96.1.1'], ipFamilies: ['IPv4'] })
    expect(services.put('b', both).clusterIPs).toEqual(['10.96.1.2', 'fd00:96::101'])
  })

  test('that are preferred are not added to a Service by the cluster getting them', () => {
    const services = new PaperServices()
    const made = services.put('a', { ipFamilyPolicy: 'PreferDualStack' })
    const later = dual()
    later.specs.set('a', made)
    expect(later.put('a', made).clusterIPs).toEqual(['10.96.1.1'])
  })
})

type Families = readonly IPFamily[]
const POLICIES: readonly (IPFamilyPolicy | undefined)[] = [
  undefined,
  'SingleStack',
  'PreferDualStack',
  'RequireDualStack',
]
const CLUSTERS: readonly Families[] = [['IPv4'], ['IPv6'], ['IPv4', 'IPv6'], ['IPv6', 'IPv4']]
const settled = (spec: ServiceSpec, cluster: Families, before?: ServiceSpec) => {
  const { ipFamilies, ipFamilyPolicy } = withFamilies(spec, before, cluster)
  return { ipFamilies, ipFamilyPolicy }
}
/** A Service before it has an address; undefined is left unsaid. */
const anySpec = fc
  .record({
    ipFamilyPolicy: fc.constantFrom(...POLICIES),
    ipFamilies: fc.constantFrom(undefined, ...CLUSTERS),
    clusterIP: fc.constantFrom(undefined, 'None', '10.96.0.7', 'fd00:96::7'),
    selector: fc.constantFrom({}, { app: 'x' }),
  })
  .map((fields): ServiceSpec => {
    const said = Object.entries(fields).filter(([, value]) => value !== undefined)
    const { clusterIP, ...spec }: ServiceSpec = Object.fromEntries(said)
    return clusterIP === undefined ? spec : { ...spec, clusterIP, clusterIPs: [clusterIP] }
  })
const anyCluster = fc.constantFrom(...CLUSTERS)

function ifAllowed<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch (error) {
    if (error instanceof AllocationRefused && error.problems.length > 0) return undefined
    throw error
  }
}

describe('what a Service leaves unsaid of its families', () => {
  test.each<[ServiceSpec, Families, Families, IPFamilyPolicy]>([
    [{}, ['IPv6', 'IPv4'], ['IPv6'], 'SingleStack'],
    [{ ipFamilyPolicy: 'PreferDualStack' }, ['IPv6', 'IPv4'], ['IPv6', 'IPv4'], 'PreferDualStack'],
    [{ ipFamilyPolicy: 'PreferDualStack' }, ['IPv6'], ['IPv6'], 'PreferDualStack'],
    [
      { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4'] },
      ['IPv6', 'IPv4'],
      ['IPv4', 'IPv6'],
      'PreferDualStack',
    ],
    // Its endpoints are written by hand: it has both, also where the cluster has one.
    [{ clusterIP: 'None', clusterIPs: ['None'] }, ['IPv6'], ['IPv6', 'IPv4'], 'RequireDualStack'],
    [{ clusterIP: 'None', clusterIPs: ['None'], ipFamilyPolicy: 'SingleStack' }, ['IPv6'], ['IPv6'], 'SingleStack'],
    [{ clusterIP: 'None', clusterIPs: ['None'], selector: { app: 'x' } }, ['IPv4', 'IPv6'], ['IPv4'], 'SingleStack'],
  ])('%j in a cluster of %j is %j, %s', (spec, cluster, ipFamilies, ipFamilyPolicy) => {
    expect(settled(spec, cluster)).toEqual({ ipFamilies, ipFamilyPolicy })
  })

  test('is the cluster’s, with the first one as the Service says, and two only where one is not enough', () => {
    fc.assert(
      fc.property(anySpec, anyCluster, (spec, cluster) => {
        const found = ifAllowed(() => settled(spec, cluster))
        if (found === undefined) return
        const { ipFamilies = [], ipFamilyPolicy } = found
        expect(ipFamilyPolicy).toBe(spec.ipFamilyPolicy ?? ipFamilyPolicy)
        const byAddress = spec.clusterIP?.includes(':') ? 'IPv6' : 'IPv4'
        const named = spec.ipFamilies?.[0] ?? (spec.clusterIP?.match(/\d/) ? byAddress : cluster[0])
        expect(ipFamilies[0]).toBe(named)
        const isByHand = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0
        if (!isByHand) expect(ipFamilies.every(family => cluster.includes(family))).toBe(true)
        const isDual = ipFamilyPolicy !== 'SingleStack' && (isByHand || cluster.length === 2)
        expect(new Set(ipFamilies).size).toBe(isDual ? 2 : 1)
      }),
    )
  })

  test('is refused or settled the first time: what was settled is written again and stays', () => {
    fc.assert(
      fc.property(anySpec, anyCluster, (spec, cluster) => {
        const stored = ifAllowed(() => withFamilies(spec, undefined, cluster))
        if (stored !== undefined) expect(withFamilies(stored, stored, cluster)).toEqual(stored)
      }),
    )
  })

  test('is nothing for an ExternalName', () => {
    const spec: ServiceSpec = { type: 'ExternalName', ipFamilyPolicy: 'RequireDualStack' }
    expect(withFamilies(spec, undefined, ['IPv4'])).toBe(spec)
  })
})

describe('a policy that changes', () => {
  const dual: ServiceSpec = {
    ...{ clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.7', 'fd00:96::7'], selector: { app: 'x' } },
    ...{ ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' },
  }
  const both = ['IPv4', 'IPv6'] as const

  test('to SingleStack drops what is second, unless the Service says two once more', () => {
    expect(withFamilies({ ...dual, ipFamilyPolicy: 'SingleStack' }, dual, both)).toEqual({
      ...dual,
      ...{ ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], clusterIPs: ['10.96.0.7'] },
    })
    const turned = { ...dual, ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6', 'IPv4'] } as const
    expect(() => withFamilies(turned, dual, both)).toThrow('when multiple IP families are specified')
  })

  test('is not changed by a client that does not know it', () => {
    const { ipFamilyPolicy: _, ...old } = dual
    expect(withFamilies(old, dual, both)).toEqual(dual)
  })

  test('does not lose an address unless it is SingleStack', () => {
    for (const less of [{ clusterIPs: ['10.96.0.7'] }, { ipFamilies: ['IPv4' as const] }])
      expect(() => withFamilies({ ...dual, ...less }, dual, both)).toThrow(
        /must be 'SingleStack' to release the second/,
      )
  })
})
