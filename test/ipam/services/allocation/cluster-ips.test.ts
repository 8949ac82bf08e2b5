import { describe, expect, test } from 'vitest'
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

  test('is one address, however it is spelled: the file with it can be applied again', () => {
    const services = new PaperServices({ cidrs: DUAL })
    const spelled = { clusterIP: 'FD00:96:0::7' }
    expect(services.put('a', spelled)).toMatchObject({ clusterIP: 'fd00:96::7', clusterIPs: ['fd00:96::7'] })
    expect(services.put('a', spelled).clusterIPs).toEqual(['fd00:96::7'])
    expect(services.refusal('b', { clusterIP: 'fd00:96::0:7' })).toContain('provided IP is already allocated')
    expect(services.put('c', { clusterIP: '::ffff:10.96.0.7' })).toMatchObject({
      clusterIPs: ['10.96.0.7'],
      ipFamilies: ['IPv4'],
    })
  })
})
