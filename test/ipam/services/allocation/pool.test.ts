import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ServicePool, type ServicePoolOptions } from '#ipam/services/allocation/pool.ts'
import type { Cidr } from '#values/cidr.ts'
import { address } from '../../../support/leases.ts'

function poolOf(
  options: Partial<Omit<ServicePoolOptions, 'cidrs'>> & { readonly cidrs?: readonly string[] } = {},
): ServicePool {
  const { cidrs = ['10.96.0.0/24', 'fd00:96::/112'], ...rest } = options
  return new ServicePool({
    ...{ cidrs: cidrs as Cidr[], nodePorts: { first: 30_000, last: 30_099 } },
    ...{ isAddressTaken: () => false, isPortTaken: () => false, random: () => 0, run: 'real', ...rest },
  })
}

describe('addresses', () => {
  test('of the first range are those of Services that name no family', () => {
    expect(poolOf().families).toEqual(['IPv4', 'IPv6'])
    expect(poolOf({ cidrs: ['fd00:96::/112', '10.96.0.0/24', 'fd00:97::/112'] }).families).toEqual(['IPv6', 'IPv4'])
    expect(poolOf({ cidrs: [] }).families).toEqual([])
  })

  test('are drawn until every one of the family has been, each once, and none besides', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 0.9999, noNaN: true }), fc.boolean(), (random, isTurned) => {
        const cidrs = ['10.96.0.0/27', 'fd00:96::/126', '10.97.0.0/30']
        const taken = new Set<string>()
        const pool = poolOf({
          cidrs: isTurned ? cidrs.toReversed() : cidrs,
          isAddressTaken: ip => taken.has(ip),
          random: () => random,
        })
        for (;;) {
          const outcome = pool.nextAddress('IPv4')
          if (!outcome.ok) break
          expect([taken.has(outcome.value), pool.claimAddress(outcome.value).ok]).toEqual([false, true])
          taken.add(outcome.value)
        }
        expect(taken.size).toBe(30 + 2)
        expect(pool.nextAddress('IPv4')).toEqual({ ok: false, problem: 'range is full' })
        expect(pool.nextAddress('IPv6')).toMatchObject({ ok: true })
      }),
    )
  })

  test.each([
    ['10.96.0.0', 'the network itself'],
    ['10.96.0.255', 'the broadcast address'],
    ['10.96.1.0', 'of no range'],
    ['fd00:96::', 'the network itself'],
  ])('%s cannot be had: %s', text => {
    expect(poolOf().claimAddress(address(text))).toMatchObject({
      ok: false,
      problem: expect.stringContaining('does not match'),
    })
  })

  test('at the end of an IPv6 range can be had: there is no broadcast address', () => {
    expect(poolOf().claimAddress(address('fd00:96::ffff'))).toEqual({ ok: true, value: 'fd00:96::ffff' })
  })

  test('at the edge of one range can be had where they lie within another', () => {
    const cidrs = ['10.96.0.0/25', '10.96.0.0/24']
    expect(poolOf({ cidrs }).claimAddress(address('10.96.0.127')).ok).toBe(true)
  })

  test('that a Service has are not had twice', () => {
    const pool = poolOf({ isAddressTaken: ip => ip === '10.96.0.9' })
    expect(pool.claimAddress(address('10.96.0.9'))).toEqual({ ok: false, problem: 'provided IP is already allocated' })
  })
})

describe('node ports', () => {
  test('drawn and asked for in one request are each one, in the range, and not another Service’s', () => {
    const draw = fc.option(fc.integer({ min: 29_990, max: 30_110 }), { nil: undefined })
    const others = fc.uniqueArray(fc.integer({ min: 30_000, max: 30_099 }), { maxLength: 90 })
    fc.assert(
      fc.property(fc.array(draw, { maxLength: 40 }), others, fc.nat(99), (draws, taken, hundredth) => {
        const pool = poolOf({ isPortTaken: port => taken.includes(port), random: () => hundredth / 100 })
        const held = new Set<number>()
        for (const asked of draws) {
          const outcome = asked === undefined ? pool.nextPort() : pool.claimPort(asked)
          const isFree = (port: number) => port >= 30_000 && port <= 30_099 && !taken.includes(port) && !held.has(port)
          if (outcome.ok) {
            expect([isFree(outcome.value), outcome.value]).toEqual([true, asked ?? outcome.value])
            held.add(outcome.value)
          } else if (asked === undefined) expect(taken.length + held.size).toBe(100)
          else expect(isFree(asked)).toBe(false)
        }
      }),
    )
  })
})

describe('a dry run', () => {
  test('names addresses and ports that no Service gets, and each port once', () => {
    const pool = poolOf({ run: 'dry', isAddressTaken: () => true, isPortTaken: port => port === 30_001 })
    expect([pool.nextAddress('IPv4'), pool.nextAddress('IPv6')]).toEqual([
      { ok: true, value: '10.96.0.0' },
      { ok: true, value: 'fd00:96::' },
    ])
    const ports = [pool.nextPort(), pool.nextPort(), pool.claimPort(40_000), pool.nextPort()]
    expect(ports.map(one => one.ok && one.value)).toEqual([32_768, 32_769, 40_000, 40_001])
    expect(pool.claimPort(30_001)).toEqual({ ok: false, problem: 'provided port is already allocated' })
  })

  test('says of an address outside which range it would have to be in', () => {
    const pool = poolOf({ run: 'dry' })
    const problem = (text: string) => {
      const outcome = pool.claimAddress(address(text))
      return outcome.ok ? '' : outcome.problem
    }
    expect(problem('10.99.0.1')).toContain('The range of valid IPs is 10.96.0.0/24')
    expect(problem('fd00:96::')).toContain('The range of valid IPs is fd00:96::/112')
  })

  test('finds a family full of which there is no range', () => {
    expect(poolOf({ run: 'dry', cidrs: ['10.96.0.0/24'] }).nextAddress('IPv6').ok).toBe(false)
  })
})
