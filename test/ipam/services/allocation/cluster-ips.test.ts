import { describe, expect, test } from 'vitest'
import type { ServiceSpec } from '#ipam/services/spec/service-spec.ts'
import { DUAL, PaperServices } from './services.ts'

describe('a cluster IP', () => {
  test('is drawn from the upper band, and is kept by an update that does not name it', () => {
    const services = new PaperServices()
    expect(services.put('a', {})).toMatchObject({
      clusterIP: '10.96.1.1',
      clusterIPs: ['10.96.1.1'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
    })
    expect(services.put('b', {}).clusterIP).toBe('10.96.1.2')
    expect(services.put('a', { ports: [{ port: 80 }] }).clusterIPs).toEqual(['10.96.1.1'])
  })

  test('that is asked for may be in the static band; it is given once, and not outside of the range', () => {
    const services = new PaperServices()
    services.put('dns', { clusterIP: '10.96.0.10' })
    expect(services.refusal('other', { clusterIP: '10.96.0.10' })).toBe(
      'spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
    )
    for (const ip of ['10.97.0.1', '10.96.0.0', '10.96.255.255']) {
      expect(services.refusal('other', { clusterIP: ip })).toBe(
        `spec.clusterIPs: Invalid value: ["${ip}"]: failed to allocate IP ${ip}: the provided network does not match the current range`,
      )
    }
  })

  test('of a full range is an internal error, after the static band is used, too', () => {
    const services = new PaperServices({ cidrs: ['10.96.0.0/27'] as never })
    const all = Array.from({ length: 30 }, (_, i) => services.put(String(i), {}).clusterIP)
    expect(new Set(all).size).toBe(30)
    expect([all[0], all[13], all[14]]).toEqual(['10.96.0.17', '10.96.0.30', '10.96.0.1'])
    expect(services.refusal('more', {})).toBe('internal: failed to allocate a serviceIP: range is full')
  })

  test('is drawn from a second range of the family where the first is full', () => {
    const services = new PaperServices({ cidrs: ['10.96.0.0/30', '10.97.0.0/30'] as never })
    const all = Array.from({ length: 4 }, (_, i) => services.put(String(i), {}).clusterIP)
    expect(all).toEqual(['10.96.0.1', '10.96.0.2', '10.97.0.1', '10.97.0.2'])
  })

  test('None is none, and ExternalName has none and takes none', () => {
    const services = new PaperServices()
    const headless = services.put('headless', { clusterIP: 'None', selector: { app: 'x' } })
    expect(headless).toMatchObject({ clusterIPs: ['None'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
    expect(services.put('external', { type: 'ExternalName' })).toEqual({ type: 'ExternalName' })
    expect(services.refusal('wrong', { type: 'ExternalName', clusterIP: '10.96.0.1' })).toBe(
      'spec.clusterIP: Forbidden: may not be set for ExternalName services',
    )
    expect(services.refusal('wrong', { type: 'NodePort', clusterIP: 'None' })).toBe(
      'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
    )
  })

  test('cannot be changed, but goes and comes with the type', () => {
    const services = new PaperServices()
    const made = services.put('a', {})
    expect(services.refusal('a', { ...made, clusterIP: '10.96.0.7' })).toBe(
      'spec.clusterIPs[0]: Invalid value: ["10.96.0.7"]: may not change once set',
    )
    expect(services.refusal('a', { ...made, clusterIP: 'None' })).toContain('may not change once set')
    const external = services.put('a', { ...made, type: 'ExternalName' })
    expect(external).not.toHaveProperty('clusterIP')
    expect(external).not.toHaveProperty('ipFamilies')
    expect(services.put('b', {}).clusterIP).toBe('10.96.1.1')
    expect(services.put('a', { ...external, type: 'ClusterIP' }).clusterIP).toBe('10.96.1.2')
  })

  test('of a dry run is one that no Service gets, and what is asked for is not looked up', () => {
    const services = new PaperServices()
    services.put('a', { clusterIP: '10.96.0.10' })
    expect(services.put('b', {}, 'dry').clusterIP).toBe('10.96.0.0')
    expect(services.put('b', { clusterIP: '10.96.0.10' }, 'dry').clusterIP).toBe('10.96.0.10')
    expect(services.refusal('b', { clusterIP: '10.0.0.1' }, 'dry')).toContain(
      'the provided IP (10.0.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
    )
    expect(services.specs.size).toBe(1)
  })

  test.each<[string, ServiceSpec, string]>([
    [
      'no address',
      { clusterIP: '10.96.0.300' },
      'spec.clusterIPs[0]: Invalid value: "10.96.0.300": must be a valid IP',
    ],
    ['lists alone', { clusterIPs: ['10.96.0.7'] }, 'must be empty when `clusterIP` is not specified'],
    ['two that differ', { clusterIP: '10.96.0.7', clusterIPs: ['10.96.0.8'] }, 'first value must match `clusterIP`'],
    ['None and more', { clusterIP: 'None', clusterIPs: ['None', '10.96.0.7'] }, "'None' must be the first and only"],
    ['a family twice', { ipFamilies: ['IPv4', 'IPv4'] }, 'spec.ipFamilies[1]: Duplicate value: "IPv4"'],
    ['another family', { clusterIP: '10.96.0.7', ipFamilies: ['IPv6'] }, 'expected an IPv6 value as indicated by'],
    [
      'a policy there is not',
      { ipFamilyPolicy: 'Both' as never },
      'Unsupported value: "Both": supported values: "Pref',
    ],
  ])('with %s is refused', (_, spec, why) => {
    expect(new PaperServices().refusal('a', spec)).toContain(why)
  })
})

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
