import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ensured } from './bridge-requirements.ts'
import { type ClusterNode, type ClusterPod, ClusterStage, OUTSIDE } from './routes-stage.ts'

// Nodes that divide one range among themselves: all pods are in one subnet, and those of other nodes are reached by routes.

const why = await ensured()
const RING = ['--ranges-from=ring', '--ipalloc-range=10.32.0.0/12', '--ipalloc-init=consensus=2']
/** As the daemon writes it into the configuration of the network: nothing of the subnet is on the pod's link. */
const ROUTES = ['10.32.0.0/13', '10.40.0.0/13', '0.0.0.0/0'].map(dst => ({ dst }))

function poll(ask: () => unknown) {
  return expect.poll(ask, { interval: 100, timeout: 40_000 })
}

describe.skipIf(why !== undefined)(`nodes of a ring${why ? ` (skipped: ${why})` : ''}`, { timeout: 180_000 }, () => {
  let stage: ClusterStage
  let [one, two]: ClusterNode[] = []
  let [here, there]: ClusterPod[] = []

  beforeAll(async () => {
    stage = await ClusterStage.open()
    one = await stage.addNode(1, ...RING)
    two = await stage.addNode(2, ...RING)
    here = await stage.addPod(one, { ipam: { type: 'switchyard', routes: ROUTES } })
    there = await stage.addPod(two, { ipam: { type: 'switchyard', routes: ROUTES } })
  }, 180_000)
  afterAll(() => stage?.end())

  test('have routes to what the others own, and their pods reach each other with their own addresses', async () => {
    await poll(() => [...stage.routesOf(one!), ...stage.routesOf(two!)].sort()).toEqual([
      expect.stringMatching(/^10\.(?:32|40)\.0\.0\/13 via 192\.0\.2\.[12] dev eth0$/),
      expect.stringMatching(/^10\.(?:32|40)\.0\.0\/13 via 192\.0\.2\.[12] dev eth0$/),
    ])
    await poll(() => stage.seenOf(here!, there!.ip4)).toBe(here!.ip4)
    expect(stage.seenOf(there!, here!.ip4)).toBe(there!.ip4)
  })

  test('what leaves the ring has the address of the node', async () => {
    await poll(() => stage.seenOf(here!, OUTSIDE.ipv4)).toBe('192.0.2.1')
  })

  test('a third node that asks for a range gets a part of another’s, and routes follow', async () => {
    const three = await stage.addNode(3, ...RING)
    const pod = await stage.addPod(three, { ipam: { type: 'switchyard', routes: ROUTES } })
    await poll(() => stage.seenOf(pod, here!.ip4)).toBe(pod.ip4)
    await poll(() => stage.seenOf(pod, there!.ip4)).toBe(pod.ip4)
    expect(stage.seenOf(here!, pod.ip4)).toBe(here!.ip4)
    expect(stage.routesOf(three).length).toBeGreaterThan(1)
  })
})
