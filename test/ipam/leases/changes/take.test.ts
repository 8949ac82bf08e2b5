import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import type { Address } from '#values/address.ts'
import { type Name, SharedNetworks, type Step, step, stepOf } from './shared-networks.ts'

// What a LeaseBook promises of one network, contracts/lease-book.ts says. These are networks that share addresses, or did.

const node = new SharedNetworks()
afterAll(() => node.end())

test('no address has two users, whatever its networks have been before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40, size: 'max' }), steps => {
      node.walk(() => {
        for (const one of steps)
          for (const { address, network, container } of node.go(one))
            expect(node.usersOf(address, network as Name), address).toEqual([`${container} of ${network}`])
      })
    }),
    { numRuns: 300 },
  )
})

describe('a network that changes between being apart and sharing the node', () => {
  const [TWO, FOUR] = ['10.9.0.2' as Address, '10.9.0.4' as Address]
  const givenAfter = (steps: readonly Step[], network: Name, wanted?: Address) => {
    let given: readonly string[] = []
    node.walk(() => {
      for (const one of steps) node.go(one)
      given = node.take(network, 'new', wanted).map(({ address }) => address)
    })
    return given
  }
  const turn = (network: Name) => stepOf('turn', { network })
  const passed = [stepOf('wait'), stepOf('wait')]

  test('keeps addresses in use without a lease from its pods', () => {
    const other = stepOf('take', { container: 'b' })
    expect(givenAfter([stepOf('found'), other, turn('red')], 'red')).toEqual([FOUR])
    expect(givenAfter([turn('red'), other, stepOf('found', { ip: FOUR }), turn('red')], 'red')).toEqual(['10.9.0.3'])
    expect(givenAfter([turn('red'), other, stepOf('found', { ip: FOUR })], 'blue', FOUR)).toEqual([FOUR])
  })

  test('keeps an address that both had given, also once the other has given it back', () => {
    const blue = { network: 'blue', container: 'b' } as const
    const both = [
      ...[stepOf('ask'), turn('blue'), stepOf('ask', blue), turn('blue'), stepOf('take', { network: 'blue' })],
      ...[stepOf('release'), ...passed],
    ]
    expect(givenAfter(both, 'red', TWO)).toEqual([])
    expect(givenAfter(both, 'green', TWO)).toEqual([])
    expect(givenAfter([...both, stepOf('release', blue), ...passed], 'green', TWO)).toEqual([TWO])
  })

  test('has what was read from a directory before it gave its first address', () => {
    const imported = [stepOf('import'), turn('red')]
    expect(givenAfter(imported, 'red', TWO)).toEqual([])
    // It is apart from its first pod on: the others may give what it has.
    expect(givenAfter([...imported, stepOf('take', { container: 'b' })], 'blue', TWO)).toEqual([TWO])
  })
})
