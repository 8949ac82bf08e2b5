import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { NETWORKS, SharedNetworks, step, stepOf } from './shared-networks.ts'

const node = new SharedNetworks()
afterAll(() => node.end())

test('the address that is said to be the next is the one that the next pod gets, and saying it changes nothing', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: 'max' }), fc.constantFrom(...NETWORKS), (steps, network) => {
      node.walk(() => {
        for (const one of steps) node.go(one)
        // Enough that what cools down by now is over, and is not deleted yet.
        for (const one of [stepOf('wait'), stepOf('wait')]) node.go(one)
        // Until there is none: then that is what is said.
        for (let pod = 0; pod < 10; pod++) {
          const before = node.leases()
          const next = node.next(network)
          expect(node.leases()).toEqual(before)
          const given = node.take(network, `next-${pod}`)
          if (next !== undefined) expect(given.map(({ address }) => address)).toEqual([next.address ?? []].flat())
        }
      })
    }),
    { numRuns: 60 },
  )
})
