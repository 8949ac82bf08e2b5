import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type RangeKeys, rangeSets } from '#ipam/ranges/range-config.ts'
import { FAMILIES } from '#values/address.ts'
import { setsOf, writtenSets } from './sets.ts'

describe('ranges as host-local has them', () => {
  test('begin after the network address and end before the broadcast address, with the first one for a gateway', () => {
    expect(setsOf([{ subnet: '10.244.1.0/24' }])).toEqual([
      [{ subnet: '10.244.1.0/24', start: '10.244.1.1', end: '10.244.1.254', gateway: '10.244.1.1' }],
    ])
    expect(setsOf([{ subnet: 'fd00:66::/126' }])).toEqual([
      [{ subnet: 'fd00:66::/126', start: 'fd00:66::1', end: 'fd00:66::3', gateway: 'fd00:66::1' }],
    ])
  })

  test('come from the runtime first, then from the older keys, then from `ranges`', () => {
    const sets = decoded({
      ipam: { subnet: '10.0.0.0/24', rangeStart: '10.0.0.9', ranges: [[{ subnet: '10.1.0.0/24' }]] },
      ipRanges: [[{ subnet: '10.5.0.0/24' }], [{ subnet: 'fd00::/64' }]],
    })
    expect(sets.map(set => `${set[0].subnet} ${set[0].start}`)).toEqual([
      '10.5.0.0/24 10.5.0.1',
      'fd00::/64 fd00::1',
      '10.0.0.0/24 10.0.0.9',
      '10.1.0.0/24 10.1.0.1',
    ])
  })

  test('keep a gateway outside of the subnet: a link-local one is reached all the same', () => {
    expect(setsOf([{ subnet: '10.0.0.0/24', gateway: '169.254.1.1' }])[0]![0].gateway).toBe('169.254.1.1')
  })

  test('take null and empty text for an address that is not written', () => {
    const sets = decoded({
      ipam: { subnet: '10.0.0.0/24', gateway: null, rangeStart: '', ranges: null },
      ipRanges: null,
    })
    expect(sets[0]![0]).toMatchObject({ start: '10.0.0.1', gateway: '10.0.0.1' })
  })

  test('are found under keys that differ in case alone, as the reference plugin does', () => {
    const sets = decoded({ ipam: { Ranges: [[{ SUBNET: '10.0.0.0/24', rangestart: '10.0.0.9' }]] } })
    expect(sets[0]![0]).toMatchObject({ subnet: '10.0.0.0/24', start: '10.0.0.9' })
  })

  test.each(FAMILIES)('are taken as they are written, in every shape of %s', family => {
    fc.assert(
      fc.property(writtenSets(family), written => {
        const sets = setsOf(...written)
        const back = sets.map(set =>
          set.map(({ subnet, start, end, gateway }) => ({ subnet, rangeStart: start, rangeEnd: end, gateway })),
        )
        expect(setsOf(...back)).toEqual(sets)
        expect(back.map(set => set.map(({ subnet }) => subnet))).toEqual(
          written.map(set => set.map(({ subnet }) => subnet)),
        )
      }),
    )
  })
})

describe('what is wrong with ranges', () => {
  const range = (more: object) => ({ ranges: [[{ subnet: '10.0.0.0/24', ...more }]] })

  test.each<[RangeKeys['ipam'], string, string]>([
    [{}, 'ipam.ranges', 'no IP ranges specified'],
    [{ ranges: [] }, 'ipam.ranges', 'no IP ranges specified'],
    [{ ranges: [[]] }, 'ipam.ranges[0]', 'invalid range set 0: empty range set'],
    [{ rangeStart: '10.0.0.1' }, 'ipam.rangeStart', 'no IP ranges specified'],
    [{ gateway: '10.0.0.1', ...range({}) }, 'ipam.gateway', 'ipam.gateway has no subnet beside it'],
    [
      { subnet: '10.0.0.1/24' },
      'ipam.subnet',
      'invalid range set 0: Network has host bits set. For a subnet mask of length 24 the network address is 10.0.0.0',
    ],
    [{ subnet: '10.0.0.0/31' }, 'ipam.subnet', 'invalid range set 0: Network 10.0.0.0/31 too small to allocate from'],
    [{ subnet: 'fd00::/127' }, 'ipam.subnet', 'invalid range set 0: Network fd00::/127 too small to allocate from'],
    [{ subnet: '10.0.0/24' }, 'ipam.subnet', 'invalid CIDR address: 10.0.0/24'],
    [{ subnet: '10.0.0.0' }, 'ipam.subnet', 'invalid CIDR address: 10.0.0.0'],
    [{ subnet: '' }, 'ipam.subnet', 'invalid CIDR address: '],
    [{ subnet: 5 }, 'ipam.subnet', 'invalid CIDR address: 5'],
    [
      { subnet: '::/64' },
      'ipam.subnet',
      'invalid range set 0: Network ::/64 has IPv4 addresses inside (::ffff:0:0/96)',
    ],
    [{ ranges: { subnet: '10.0.0.0/24' } }, 'ipam.ranges', 'ipam.ranges is not a list of range sets'],
    [{ ranges: [{ subnet: '10.0.0.0/24' }] }, 'ipam.ranges[0]', 'ipam.ranges[0] is not a list of ranges'],
    [{ ranges: [['10.0.0.0/24']] }, 'ipam.ranges[0][0]', 'ipam.ranges[0][0] is not a range'],
    [{ ranges: [[{}]] }, 'ipam.ranges[0][0].subnet', 'invalid range set 0: subnet is missing'],
    [range({ rangeStart: 'abc' }), 'ipam.ranges[0][0].rangeStart', 'invalid IP address: abc'],
    [
      range({ rangeStart: '10.0.1.1' }),
      'ipam.ranges[0][0].rangeStart',
      'invalid range set 0: RangeStart 10.0.1.1 not in network 10.0.0.0/24',
    ],
    [
      range({ rangeEnd: '10.0.1.1' }),
      'ipam.ranges[0][0].rangeEnd',
      'invalid range set 0: RangeEnd 10.0.1.1 not in network 10.0.0.0/24',
    ],
    [
      range({ rangeStart: '10.0.0.50', rangeEnd: '10.0.0.40' }),
      'ipam.ranges[0][0].rangeStart',
      'invalid range set 0: RangeStart 10.0.0.50 not in network 10.0.0.0/24',
    ],
    [range({ gateway: 'fd00::1' }), 'ipam.ranges[0][0].gateway', 'ipam.ranges[0][0].gateway is not an IPv4 address'],
    [
      { ranges: [[{ subnet: '10.0.0.0/24' }, { subnet: 'fd00::/64' }]] },
      'ipam.ranges[0]',
      'invalid range set 0: mixed address families',
    ],
    [
      { ranges: [[{ subnet: '10.0.0.0/24' }, { subnet: '10.0.0.0/25' }]] },
      'ipam.ranges[0]',
      'invalid range set 0: subnets 10.0.0.1-10.0.0.254 and 10.0.0.1-10.0.0.126 overlap',
    ],
    [
      { ranges: [[{ subnet: '10.0.0.0/24' }], [{ subnet: '10.0.0.0/25' }]] },
      'ipam.ranges[1]',
      'range set 0 overlaps with 1',
    ],
    [{ subnet: '10.0.0.0/24', ranges: [[{ subnet: '10.0.0.0/16' }]] }, 'ipam.ranges[0]', 'range set 0 overlaps with 1'],
  ])('%j: at %s, %s', (ipam, path, text) => {
    const [problem, ...others] = problems({ ipam })
    expect(problem).toMatchObject({ path, text })
    expect(problem!.hint).not.toBe('')
    expect(others).toEqual([])
  })

  test('in what the runtime gave is said of the runtime', () => {
    const ipRanges = [[{ subnet: '10.0.0.1/24' }]]
    expect(problems({ ipam: { subnet: '10.1.0.0/24' }, ipRanges }).map(({ path, value }) => ({ path, value }))).toEqual(
      [{ path: 'runtimeConfig.ipRanges[0][0].subnet', value: '10.0.0.1/24' }],
    )
  })

  test('is said all at once, and each with what would be right', () => {
    const ranges = [[{ subnet: '10.0.0.1/24' }], [{ subnet: '10.1.0.0/24', rangeStart: 'x', gateway: 'fd00::1' }]]
    expect(problems({ ipam: { ranges } }).map(({ path, hint }) => `${path}: ${hint}`)).toEqual([
      'ipam.ranges[0][0].subnet: write "10.0.0.0/24"',
      'ipam.ranges[1][0].rangeStart: write an IPv4 address without a prefix',
      'ipam.ranges[1][0].gateway: write an IPv4 address, as the subnet has',
    ])
  })

  test('is a value, whatever stands there', () => {
    const keys = ['subnet', 'rangeStart', 'rangeEnd', 'gateway', 'ranges']
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), fc.jsonValue(), (ipam, ipRanges) => {
        const result = rangeSets({ ipam, ipRanges })
        if (!result.ok) expect(result.problems.every(({ text, hint }) => text !== '' && hint !== '')).toBe(true)
      }),
    )
  })
})

function decoded(keys: RangeKeys) {
  const result = rangeSets(keys)
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result.sets
}

function problems(keys: RangeKeys) {
  const result = rangeSets(keys)
  return result.ok ? [] : result.problems
}
