import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { type Name, NETWORKS, SharedNetworks, type Step, step, stepOf } from './shared-networks.ts'

// Numbers that STATUS and messages say are numbers of pods.

const node = new SharedNetworks()
afterAll(() => node.end())

test('as many pods as addresses are free get one, and not one more', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: 'max' }), fc.constantFrom(...NETWORKS), (steps, network) => {
      node.walk(() => {
        for (const one of steps) node.go(one)
        const { size, assigned, cooling, elsewhere, oldest } = node.usage(network)
        const free = size - BigInt(assigned + cooling + elsewhere)
        if (free > 0n) expect(oldest).toEqual([])
        expect(BigInt(node.fill(network))).toBe(free)
        const full = node.usage(network)
        expect(BigInt(full.assigned + full.cooling + full.elsewhere)).toBe(size)
      })
    }),
    { numRuns: 300 },
  )
})

describe('counts', () => {
  const usageAfter = (steps: readonly Step[], network: Name = 'red') => {
    let usage: object | undefined
    node.walk(() => {
      for (const one of steps) node.go(one)
      usage = node.usage(network)
    })
    return usage
  }
  const passed = [stepOf('wait'), stepOf('wait')]
  const take = (container: string, network: Name = 'red') => stepOf('take', { container, network })
  const release = (container: string, network: Name = 'red') => stepOf('release', { container, network })
  const turn = (network: Name) => stepOf('turn', { network })

  test('are of a set that has given nothing, with the gateway of no other network', () => {
    expect(usageAfter([])).toEqual({ size: 5n, assigned: 0, cooling: 0, elsewhere: 0, oldest: [] })
  })

  test('say when the first address is free, whichever network it cools down in', () => {
    const at = node.now
    // Blue has given .1, which is no address of red, and .2; its gateway is .3.
    const steps = [take('a', 'blue'), take('b', 'blue'), release('b', 'blue'), stepOf('wait')]
    expect(usageAfter(steps)).toMatchObject({ assigned: 0, cooling: 0, elsewhere: 2, freeAt: at + 1000 })
  })

  test('take what has cooled down for free before the next pod deletes it, but not where it is a gateway by now', () => {
    // Red has given .2 and .3; .3 is the gateway of blue.
    expect(usageAfter([take('a'), take('b'), release('b'), ...passed])).toMatchObject({ assigned: 1, elsewhere: 0 })
    const gateway = [take('a'), take('b'), take('a', 'blue'), release('b'), ...passed]
    expect(usageAfter(gateway)).toMatchObject({ assigned: 1, cooling: 0, elsewhere: 2 })
  })

  test('go with the network when it is to be apart from its next pod on', () => {
    const turned = [take('a'), take('b', 'blue'), turn('red')]
    expect(usageAfter(turned)).toMatchObject({ assigned: 1, cooling: 0, elsewhere: 0 })
    expect(usageAfter([...turned, release('a')])).toMatchObject({ assigned: 0, cooling: 1, elsewhere: 0 })
  })

  test('have an address that another network keeps from a time when it was apart, once', () => {
    const asked = stepOf('ask', { network: 'blue', container: 'b' })
    const both = [stepOf('ask'), turn('blue'), asked, turn('blue'), take('c', 'blue')]
    // Beside .2, there is what blue has given besides, .4, and its gateway, .3.
    expect(usageAfter(both)).toMatchObject({ assigned: 1, elsewhere: 2 })
    expect(usageAfter([...both, release('a'), ...passed])).toMatchObject({ assigned: 0, elsewhere: 3 })
  })
})
