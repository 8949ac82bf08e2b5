import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ReleaseRequest, releasedByHand } from '#cni/leaks/release.ts'
import { address, heldLeases, SMALL, SMALL6 } from '../../support/leases.ts'
import { PaperNode } from './paper-node.ts'

// `ipam release` on a node whose witnesses are on paper.

let node: PaperNode
beforeEach(async () => {
  node = new PaperNode()
  await node.add('a', { sets: [SMALL, SMALL6] })
  await node.minutes(2)
})
afterEach(() => node.close())

const V4 = { address: address('10.9.0.2') }
const NAME = '10.9.0.2 and fd00:9::2 of default/a (container a eth0, network mynet)'
const FORCE = '--force releases it all the same, and its addresses may then be given to a second pod'

function release(target: ReleaseRequest['target'], releases: ReleaseRequest['releases'] = 'unused') {
  const parts = { round: node.parts, takeBack: node.takeBackParts, apiFailure: () => 'connection refused' }
  return releasedByHand({ target, releases }, parts)
}

describe('an address that no witness names', () => {
  beforeEach(() => node.vanish('a'))

  test.each([
    ['by its address', V4],
    ['by its container and interface', { container: 'a', ifname: 'eth0' }],
  ])('is released with all of its attachment, %s, and history says by hand', async (_, target) => {
    expect(await release(target)).toEqual({
      text: expect.stringMatching(/: released; not in use by its network namespace and the runtime's results/),
      status: 0,
    })
    expect(await node.held()).toEqual([])
    expect(node.forgotten).toEqual(['10.9.0.2', 'fd00:9::2'])
    const past = await node.leaks.ended(node.boot, 10)
    expect(past.map(({ address, why }) => [address, why?.slice(0, 24)])).toEqual([
      ['fd00:9::2', 'released by hand: not in'],
      ['10.9.0.2', 'released by hand: not in'],
    ])
    // A connection of the last pod must not reach the next one, so it cools down as after a DEL.
    expect(node.book.counts()).toEqual([{ network: 'mynet', state: 'cooldown', count: 2 }])
  })

  test('stays where a witness could not be asked: it might be the one that names it', async () => {
    node.failing.add('api')
    const refused = `${NAME}: not released, the API server could not be asked (connection refused); ${FORCE}`
    await expect(release(V4)).rejects.toThrow(new Error(refused))
    expect(await node.held()).toHaveLength(2)
  })

  test('of another pod stays', async () => {
    await node.add('b')
    await release(V4)
    expect((await heldLeases(node.leaks)).map(({ container }) => container)).toEqual(['b'])
  })
})

describe('an address that a witness names', () => {
  test('stays, and the error says who uses it', async () => {
    await expect(release(V4)).rejects.toThrow(
      /^10\.9\.0\.2 and fd00:9::2 of default\/a .*: not released, in use by its/,
    )
    expect([await node.held(), node.commands]).toEqual([expect.objectContaining({ length: 2 }), []])
  })

  test('goes with --force, and history says that it was in use', async () => {
    expect((await release(V4, 'any')).status).toBe(0)
    const [past] = await node.leaks.ended(node.boot, 1)
    expect(past!.why).toMatch(/^released by hand: in use by its network namespace/)
  })
})

test('a pod that is on its way up keeps its address', async () => {
  await node.add('b')
  node.vanish('b')
  await expect(release({ container: 'b', ifname: 'eth0' })).rejects.toThrow(
    /not released, its pod may be on its way up \(given 0 s ago\); --force/,
  )
})

test.each([
  [{ address: address('10.9.0.5') }, '10.9.0.5'],
  [{ container: 'a', ifname: 'eth1' }, 'a/eth1'],
])('%j that no pod has is an error', async (target, name) => {
  await expect(release(target)).rejects.toThrow(
    new Error(`${name}: no pod has it; "switchyard ipam who" knows more of an address`),
  )
})
