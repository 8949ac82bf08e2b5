import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ringRows } from '#ipam/overview/ring-rows.ts'
import { addressAt, type Ring, type RingToken } from '#ipam/ring/ring.ts'
import { cidr, facts, ip } from './facts.ts'

const START = 0x0a200000

function ringOf(range: string, tokens: readonly (readonly [string, number])[]): Ring {
  const all = tokens.map(([name, offset]): RingToken => ({ name, uid: name, start: START + offset, epoch: 1 }))
  return { range: cidr(range), tokens: all, peers: [], requests: [], revision: 1 }
}

const rows = (ring: Ring, podIPs?: readonly string[]) =>
  ringRows(facts({ ring, ...(podIPs !== undefined && { podIPs }) })).map(
    row => `${row.kind} ${row.name} ${row.range} ${row.size} ${row.used} ${row.free} ${row.largestFree}`,
  )

test('the ring has the parts of each peer', () => {
  const ring = ringOf('10.32.0.0/29', [
    ['a', 0],
    ['b', 4],
    ['a', 6],
  ])
  expect(rows(ring, ['10.32.0.1', '10.32.0.5', '10.9.9.9'])).toEqual([
    'ring  10.32.0.0/29 8 2 6 10.32.0.2/31',
    'peer a 10.32.0.0-10.32.0.3 and 1 more 6 1 5 10.32.0.2/31',
    'peer b 10.32.0.4-10.32.0.5 2 1 1 10.32.0.4/32',
  ])
})

test('peers have all of the ring among them, each address once, in the order of their first', () => {
  const name = fc.constantFrom('a', 'b', 'c')
  const starts = fc.uniqueArray(fc.integer({ min: 1, max: 63 }), { maxLength: 8 })
  fc.assert(
    fc.property(
      starts,
      fc.array(name, { minLength: 9, maxLength: 9 }),
      fc.array(fc.nat(80)),
      (offsets, names, pods) => {
        const tokens = [0, ...offsets].toSorted((a, b) => a - b).map((offset, i) => [names[i]!, offset] as const)
        const podIPs = pods.map(n => addressAt(START + n))
        const [whole, ...peers] = ringRows(facts({ ring: ringOf('10.32.0.0/26', tokens), podIPs }))
        const sum = (of: 'size' | 'used' | 'free') => peers.reduce((total, row) => total + row[of]!, 0n)
        expect([sum('size'), sum('used'), sum('free')]).toEqual([whole!.size, whole!.used, whole!.free])
        expect(whole!.used).toBe(BigInt(new Set(pods.filter(n => n < 64)).size))
        expect(peers.map(one => one.name)).toEqual([...new Set(tokens.map(([name]) => name))])
        // The block that is free as a whole is one of each that the ring has, or larger there: it may go on in the next peer.
        const bits = (text: string | undefined) => (text === undefined ? -1 : 32 - Number(text.split('/')[1]))
        for (const { largestFree } of peers) expect(bits(whole!.largestFree)).toBeGreaterThanOrEqual(bits(largestFree))
      },
    ),
  )
})

describe('a peer', () => {
  test('has one piece where two of its tokens stand beside each other', () => {
    const ring = ringOf('10.32.0.0/29', [
      ['a', 0],
      ['a', 2],
      ['b', 4],
    ])
    expect(rows(ring, []).slice(1)).toEqual([
      'peer a 10.32.0.0-10.32.0.3 4 0 4 10.32.0.0/30',
      'peer b 10.32.0.4-10.32.0.7 4 0 4 10.32.0.4/30',
    ])
  })

  test('says nothing of pods that could not be listed, and has no block where all is taken', () => {
    const ring = ringOf('10.32.0.0/30', [['a', 0]])
    expect(rows(ring)[1]).toBe('peer a 10.32.0.0-10.32.0.3 4 undefined undefined undefined')
    expect(
      rows(
        ring,
        ['0', '1', '2', '3'].map(n => `10.32.0.${n}`),
      )[1],
    ).toBe('peer a 10.32.0.0-10.32.0.3 4 4 0 undefined')
  })
})

test('a ring that is not made yet is one row, and one that reaches to the last address ends there', () => {
  expect(rows(ringOf('10.32.0.0/29', []), [])).toEqual(['ring  10.32.0.0/29 8 0 8 10.32.0.0/29'])
  const last: Ring = {
    ...ringOf('255.255.255.0/24', []),
    tokens: [{ name: 'a', uid: '1', start: 0xffffff00, epoch: 1 }],
  }
  expect(rows(last, [ip('255.255.255.255')])[1]).toBe('peer a 255.255.255.0-255.255.255.255 256 1 255 255.255.255.0/25')
  expect(ringRows(facts())).toEqual([])
})
