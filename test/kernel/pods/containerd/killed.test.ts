import { describe, expect, test } from 'vitest'
import { systemClock } from '#system/clock.ts'
import { cannotRunPods, manyPods, NETWORK } from './network.ts'
import { runtimeForEach } from './runtime-for-each.ts'
import type { RuntimeNode } from './runtime-node.ts'

// A runtime that is killed, and a machine that loses power: each address is held for as long as it is in use, and no longer.

const why = cannotRunPods()

describe.skipIf(why !== undefined)(
  `a containerd that ends${why ? ` (skipped: ${why})` : ''}`,
  { timeout: 240_000 },
  () => {
    let node: RuntimeNode
    runtimeForEach(NETWORK, started => {
      node = started
    })

    const sorted = (addresses: readonly string[]) => addresses.toSorted()
    const inUse = () => sorted(node.namespaces().flatMap(({ addresses }) => addresses))
    const leased = () => sorted(node.node.ipam('ls').stdout.match(/^10\.244\.0\.\d+(?= +ASSIGNED )/gm) ?? [])
    /** Until each that may be freed is, as if minutes lay between the rounds. */
    const leakRounds = () => {
      for (let i = 0; i < 4; i++) {
        node.node.age(60_000)
        node.node.ipam('gc', '--free')
      }
    }

    test('killed half way through 24 pods and started again, no address in use is freed, and no other stays', async () => {
      const [blue, green] = [await node.run('blue'), await node.run('green')]
      const begun = manyPods(node, 24).catch(() => 'killed')
      const deadline = systemClock.now() + 20_000
      while (node.node.held().length < 12 && systemClock.now() < deadline) await systemClock.sleep(2)
      await node.killRuntime()
      expect(await begun).toBe('killed')
      await expect.poll(() => node.calls(), { timeout: 30_000 }).toEqual([])
      // As it is left where the runtime is killed between making the file and mounting the namespace on it.
      node.node.run('touch', '/run/netns/cni-half-made')
      await node.startRuntime()
      leakRounds()
      expect(leased()).toEqual(inUse())
      expect(leased().length).toBeGreaterThan(2)
      expect(node.asked(blue, green.address)).toBe(`green ${blue.address}`)
      const known = await node.client.list()
      const [ready, others] = [known.filter(({ isReady }) => isReady), known.filter(({ isReady }) => !isReady)]
      expect(ready.map(({ name }) => name)).toEqual(expect.arrayContaining(['blue', 'green']))
      await Promise.all(others.map(one => node.end(one)))
      leakRounds()
      expect(node.node.held()).toEqual(ready.map(({ id }) => `pods ${id}`).sort())
      expect(leased()).toEqual(inUse())
      await Promise.all(ready.map(one => node.end(one)))
      expect([node.node.held(), node.state()]).toEqual([[], { links: ['lo', 'cni0'], rules: [] }])
    })

    test('after a loss of power every address is free, and the end of old pods takes none of the new ones', async () => {
      const before = await manyPods(node, 6)
      await node.losePower()
      node.node.change("UPDATE lease SET boot = 'another'")
      const daemon = await node.node.startDaemon()
      await expect.poll(() => node.node.held(), { timeout: 30_000 }).toEqual([])
      // The line comes a moment after what it says has been done.
      await expect
        .poll(() => daemon.lines.join('\n'), { timeout: 30_000 })
        .toContain('"Released leases of an earlier boot" count=6')
      await node.startRuntime()
      expect((await node.client.list()).map(({ isReady }) => isReady)).toEqual(before.map(() => false))
      // A pod of the same name would be another attempt.
      const after = await manyPods(node, 6, 'new')
      const held = after.map(({ id }) => `pods ${id}`).sort()
      await Promise.all(before.map(pod => node.end(pod)))
      leakRounds()
      expect(node.node.held()).toEqual(held)
      expect(leased()).toEqual(inUse())
      expect(node.asked(after[0]!, after[5]!.address)).toBe(`new-5 ${after[0]!.address}`)
    })
  },
)
