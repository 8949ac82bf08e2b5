import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import {
  chainUnit,
  containerIn,
  containerOf,
  elementsPart,
  elementUnit,
  endpointChainOf,
  isAffinitySet,
  kindOf,
  mapUnit,
  ownNames,
  partOf,
  RULES,
  setUnit,
  TABLE_UNIT,
  unitParts,
} from '#proxy/modes/nftables/names.ts'
import { ip } from '../../../support/objects.ts'
import { unitText } from '../../../support/units.ts'

const names = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}$/)
const keys = fc.stringMatching(/^[0-9a-f.:]+( \. [a-z0-9]+){0,2}$/)

test('what a unit was made of is read from it, and its part leads back to it', () => {
  fc.assert(
    fc.property(names, keys, (name, key) => {
      for (const [kind, unit] of [
        ['chain', chainUnit(name)],
        ['map', mapUnit(name)],
        ['set', setUnit(name)],
      ] as const) {
        expect(unitParts(unit)).toEqual({ kind, name, key: '' })
        expect([kindOf(unit), containerOf(unit), partOf(unit)]).toEqual([kind, undefined, RULES])
      }
      const element = elementUnit(name, key)
      expect(unitParts(element)).toEqual({ kind: 'element', name, key })
      expect([containerOf(element), partOf(element)]).toEqual([name, elementsPart(name)])
      expect(containerIn(partOf(element))).toBe(name)
    }),
  )
  expect(unitParts(TABLE_UNIT)).toEqual({ kind: 'table', name: 'kube-proxy', key: '' })
  expect([partOf(TABLE_UNIT), containerIn(RULES)]).toEqual([RULES, undefined])
})

test('no set or map is named as the part with all rules is', () => {
  fc.assert(
    fc.property(names, name => {
      expect(unitText(elementsPart(name))).not.toBe(unitText(RULES))
    }),
  )
})

const POD = { ip: ip('10.244.1.2'), port: 8080, text: '10.244.1.2:8080', local: true }
const namesOf = (service: string, port = '', protocol = 'tcp') =>
  ownNames({ service, id: port === '' ? service : `${service}:${port}`, protocol } as unknown as ServiceTraffic)

describe('the names of a service port', () => {
  test('are kube-proxy’s, with the port in them', () => {
    expect(namesOf('shop/cart', 'http').cluster).toMatch(/^service-[A-Z2-7]{8}-shop\/cart\/tcp\/http$/)
    expect(namesOf('shop/cart').cluster).toMatch(/^service-[A-Z2-7]{8}-shop\/cart\/tcp\/$/)
    expect(namesOf('shop/cart').endpoint(POD)).toMatch(/^endpoint-[A-Z2-7]{8}-shop\/cart\/tcp\/__10\.244\.1\.2\/8080$/)
  })

  test('fit into the kernel however long the Service is called, and are of one Service alone', () => {
    const long = (end: string) => namesOf(`${'n'.repeat(63)}/${'s'.repeat(250)}${end}`)
    const { endpoint, affinity, ...chains } = long('a')
    for (const name of [...Object.values(chains), endpoint(POD), affinity(POD)]) expect(name.length).toBeLessThan(256)
    expect(long('a').cluster).not.toBe(long('b').cluster)
  })

  test('lead from a set that clients enter to the chain of its endpoint, whatever they are', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('tcp', 'udp'), (service, protocol) => {
        const { endpoint, affinity, ...chains } = namesOf(service, 'p', protocol)
        expect(endpointChainOf(affinity(POD))).toBe(endpoint(POD))
        expect(isAffinitySet(affinity(POD))).toBe(true)
        for (const name of [...Object.values(chains), endpoint(POD)]) expect(endpointChainOf(name)).toBeUndefined()
      }),
    )
  })
})
