import { describe, expect, test } from 'vitest'
import { A, B, FROM_POD, fate, nat, paths, rules, TO_A, UNTOUCHED } from './rules.ts'

// The way of a packet through chains, rule by rule.

describe('chains', () => {
  test('a packet that no rule matches goes where it was going', () => expect(fate(new Map())).toEqual(UNTOUCHED))

  test('rules are asked in order, and the first that sends the packet off decides', () =>
    expect(fate(nat({ START: ['-p udp -j DNAT --to-destination 10.244.2.5:8080', A, B] }))).toEqual(TO_A))

  test('at the end of a chain, a packet goes on behind the jump', () =>
    expect(fate(nat({ START: ['-j EMPTY', A], EMPTY: [] }))).toEqual(TO_A))

  test('RETURN leaves the chain and no more', () =>
    expect(fate(nat({ START: ['-j INNER', A], INNER: ['-j RETURN', B] }))).toEqual(TO_A))

  test('a goto comes back behind the jump that came before it', () =>
    expect(fate(nat({ START: ['-j INNER', A], INNER: ['-g EMPTY', B], EMPTY: [] }))).toEqual(TO_A))

  test('a rule without a target lets the packet go on', () =>
    expect(fate(nat({ START: ['-m comment --comment "only counted"', A] }))).toEqual(TO_A))

  test('ACCEPT ends this table and not the next', () => {
    const lines = ['nat -A PREROUTING -j START', 'filter -A FORWARD -j GUARD']
    const guarded = rules({ 'nat START': ['-j ACCEPT', A], 'filter GUARD': ['-j DROP'] }, lines)
    expect(fate(guarded)).toEqual({ dropped: 1 })
  })
})

describe('chance and memory', () => {
  const DICE = '-m statistic --mode random --probability'

  test('every path has its share', () => {
    const thirds = nat({
      START: [`${DICE} 0.25000000000 -j TO-A`, `${DICE} 0.50000000000 -j TO-B`],
      'TO-A': [A],
      'TO-B': [B],
    })
    expect(fate(thirds)).toEqual({ '10.244.1.5:8080': 0.25, '10.244.2.5:8080': 0.375, untouched: 0.375 })
  })

  test('paths that meet again keep their own shares and hops', () => {
    const twice = paths(nat({ START: [`${DICE} 0.50000000000 -j TO-A`, '-j TO-A'], 'TO-A': [A] }))
    expect(twice.map(({ share, hops }) => [share, hops.length])).toEqual([
      [0.5, 3],
      [0.5, 3],
    ])
  })

  const remembering = nat({
    START: [
      '-m recent --rcheck --seconds 60 --reap --name KUBE-SEP-A --mask 255.255.255.255 --rsource -j KUBE-SEP-A',
      B,
    ],
    'KUBE-SEP-A': [
      '-p tcp -m recent --set --name KUBE-SEP-A --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.244.1.5:8080',
    ],
  })

  test.for([
    [undefined, '10.244.2.5:8080'],
    [{ endpoint: '10.244.1.5:8080', secondsAgo: 60 }, '10.244.1.5:8080'],
    [{ endpoint: '10.244.1.5:8080', secondsAgo: 61 }, '10.244.2.5:8080'],
    [{ endpoint: '10.244.2.5:8080', secondsAgo: 1 }, '10.244.2.5:8080'],
  ] as const)('a client last seen %o goes to %s', ([last, endpoint]) =>
    expect(fate(remembering, { ...FROM_POD, ...(last && { last }) })).toEqual({ [endpoint]: 1 }),
  )
})
