import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RangeRow } from '#ipam/overview/range-rows.ts'
import { serviceRows } from '#ipam/overview/service-rows.ts'
import { addressFromNumber } from '#values/address.ts'
import { cidr, DAY, type FactsInWords, facts, ip, NOW, service } from './facts.ts'

const rows = (words: FactsInWords) => serviceRows(facts(words), NOW)
const only = (kind: RangeRow['kind'], words: FactsInWords) => rows(words).filter(row => row.kind === kind)

test('the two bands are the whole range, and each address or port counts once', () => {
  const number = fc.integer({ min: 0, max: 300 })
  const one = fc.record({ ips: fc.array(number, { maxLength: 2 }), ports: fc.array(number, { maxLength: 3 }) })
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 12 }),
      fc.array(number),
      fc.integer({ min: 23, max: 30 }),
      (all, more, bits) => {
        const at = (n: number) => addressFromNumber('ipv4', 0x0a600000n + BigInt(n))
        const services = all.map(({ ips, ports }, i) =>
          service(`a/s${i}`, ips.map(at), { nodePorts: ports.map(n => 30_000 + n) }),
        )
        const addresses = more.map(n => ({ address: at(n), service: undefined }))
        const range = `10.96.0.0/${bits}`
        const found = rows({ services, addresses, serviceCIDRs: [range], nodePorts: { first: 30_050, last: 30_249 } })
        const size = 2 ** (32 - bits)
        const taken = new Set([...all.flatMap(({ ips }) => ips), ...more].filter(n => n >= 1 && n <= size - 2))
        const ports = new Set(all.flatMap(({ ports }) => ports).filter(n => n >= 50 && n <= 249))
        const [ofIPs, ofPorts] = [
          found.findIndex(row => row.kind === 'services'),
          found.findIndex(row => row.kind === 'node-ports'),
        ]
        expect([found[ofIPs]!.size, found[ofIPs]!.used]).toEqual([BigInt(size - 2), BigInt(taken.size)])
        expect([found[ofPorts]!.size, found[ofPorts]!.used]).toEqual([200n, BigInt(ports.size)])
        for (const whole of [ofIPs, ofPorts]) {
          const behind = found.slice(whole + 1)
          const next = behind.findIndex(row => row.kind !== 'band')
          const bands = next < 0 ? behind : behind.slice(0, next)
          for (const row of [found[whole]!, ...bands]) expect(row.used! + row.free!).toBe(row.size)
          if (bands.length === 0) continue
          for (const count of ['size', 'used', 'free'] as const)
            expect(bands[0]![count]! + bands[1]![count]!).toBe(found[whole]![count]!)
        }
      },
    ),
  )
})

describe('rows of Services', () => {
  test('have IPAddresses that no Service has', () => {
    const addresses = [{ address: ip('10.96.7.7'), service: 'shop/gone' }]
    expect(only('services', { addresses })).toMatchObject([{ range: '10.96.0.0/16', size: 65_534n, used: 1n }])
  })

  test('are of each range, with the addresses of its family and no other', () => {
    const services = [
      service('a/x', ['10.96.0.9', 'fd00::9']),
      service('a/y', ['fd00::a']),
      service('a/z', ['10.97.0.1']),
    ]
    const found = only('services', { services, serviceCIDRs: ['10.96.0.0/24', '10.97.0.0/24', 'fd00::/112'] })
    expect(found.map(({ range, used }) => `${range} ${used}`)).toEqual([
      ...['10.96.0.0/24 1', '10.97.0.0/24 1', 'fd00::/112 2'],
    ])
  })

  test('grow by what was created in the last days, and not by an IPAddress of which that is not known', () => {
    const created = NOW - 60 * DAY
    const old = service('a/old', ['10.96.0.1'], { created })
    const addresses = [{ address: ip('10.96.0.77'), service: 'a/x' }]
    const recent = service('a/x', ['10.96.0.77'], { created: NOW - DAY })
    const full = (words: FactsInWords) => only('services', { serviceCIDRs: ['10.96.0.0/24'], ...words })[0]!.full
    expect(full({ services: [old], addresses })).toEqual({ when: 'not-growing' })
    // The Service says when, whether or not its IPAddress is there, too.
    expect(full({ services: [old, recent], addresses })).toMatchObject({ when: 'later', perDay: 1 / 30 })
  })

  test('are one where the range is too small for bands, and of no address where it has none to give', () => {
    const small = rows({ serviceCIDRs: ['10.96.0.0/28'] }).slice(0, 2)
    expect(small.map(({ kind, size }) => `${kind} ${size}`)).toEqual(['services 14', 'node-ports 2768'])
    for (const range of ['10.96.0.0/31', '10.96.0.0/32', 'fd00::/128'])
      expect(only('services', { serviceCIDRs: [range] })).toMatchObject([
        { range: cidr(range), size: 0n, used: 0n, free: 0n },
      ])
  })
})

describe('rows of node ports', () => {
  test('have the longest stretch that is free, a single port by itself', () => {
    const all = (ports: readonly number[]) =>
      only('node-ports', {
        services: [service('a/x', [], { nodePorts: ports })],
        nodePorts: { first: 30_000, last: 30_004 },
      })[0]!.largestFree
    expect([all([30_001]), all([30_000, 30_002, 30_004]), all([0, 1, 2, 3, 4].map(n => 30_000 + n))]).toEqual([
      ...['30002-30004', '30001', undefined],
    ])
  })
})
