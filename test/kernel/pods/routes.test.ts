import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { ensured } from './bridge-requirements.ts'
import { type ClusterNode, type ClusterPod, ClusterStage, type Ends, OUTSIDE } from './routes-stage.ts'

// Nodes in namespaces, each with the daemon as it is shipped: pods of different nodes talk, and what leaves the cluster has the
// node's address.

const why = await ensured()
const ENDS: readonly Ends[] = ['ip4', 'ip6']

function poll(ask: () => unknown) {
  return expect.poll(ask, { interval: 50, timeout: 40_000 })
}

describe.skipIf(why !== undefined)(`pods of two nodes${why ? ` (skipped: ${why})` : ''}`, { timeout: 180_000 }, () => {
  let stage: ClusterStage
  let [one, two]: ClusterNode[] = []
  let [here, there]: ClusterPod[] = []

  beforeAll(async () => {
    stage = await ClusterStage.open()
    one = await stage.addNode(1)
    two = await stage.addNode(2)
    here = await stage.addPod(one)
    there = await stage.addPod(two)
  }, 120_000)
  afterAll(() => stage?.end())

  test('have routes to each other, as a person sees them', async () => {
    await poll(() => stage.routesOf(one!)).toEqual([
      '10.244.2.0/24 via 192.0.2.2 dev eth0',
      'fd00:244:2::/64 via 2001:db8::2 dev eth0 metric 1024 pref medium',
    ])
    expect(one!.node.run('ip', 'route', 'show', '10.244.2.0/24').trim()).toBe(
      '10.244.2.0/24 via 192.0.2.2 dev eth0 proto 115',
    )
  })

  test.each(ENDS)('reach each other with their own addresses: %s', async end => {
    await poll(() => stage.seenOf(here!, there![end])).toBe(here![end])
    expect(stage.seenOf(there!, here![end])).toBe(there![end])
  })

  test('are reached from the other node itself', async () => {
    await poll(() => stage.seenOfNode(one!, there!.ip4)).toBe('192.0.2.1')
    expect(stage.seenOfNode(one!, there!.ip6)).toBe('2001:db8::1')
  })

  test.each(['ipv4', 'ipv6'] as const)('leave the cluster with the address of their node: %s', async family => {
    const own = { ipv4: '192.0.2.1', ipv6: '2001:db8::1' }[family]
    await poll(() => stage.seenOf(here!, OUTSIDE[family])).toBe(own)
  })

  test('a route that is deleted is there again long before the next look at all of them, and the log says so', async () => {
    const before = stage.routesOf(one!)
    one!.node.run('ip', 'route', 'del', '10.244.2.0/24')
    one!.node.run('ip', '-6', 'route', 'del', 'fd00:244:2::/64')
    await expect.poll(() => stage.routesOf(one!), { interval: 20, timeout: 20_000 }).toEqual(before)
    expect(stage.seenOf(here!, there!.ip4)).toBe(here!.ip4)
    await poll(saidByOne).toContain('"Route was taken away, and is there again" node="node-2" range="10.244.2.0/24"')
    await poll(() => numberOf('switchyard_routes_repaired_total')).toBe(2)
  })

  test('a link that goes down and comes back has its routes back', async () => {
    const before = stage.routesOf(one!)
    one!.node.run('ip', 'link', 'set', 'eth0', 'down')
    await poll(() => stage.routesOf(one!)).toEqual([])
    one!.node.run('ip', 'link', 'set', 'eth0', 'up')
    one!.node.run('ip', 'address', 'replace', '2001:db8::1/64', 'dev', 'eth0', 'nodad')
    one!.node.run('ip', 'route', 'replace', 'default', 'via', OUTSIDE.ipv4)
    one!.node.run('ip', 'route', 'replace', 'default', 'via', OUTSIDE.ipv6)
    await poll(() => stage.routesOf(one!)).toEqual(before)
  })

  test('a route of another program to a new node is respected, and ours comes when it is gone', async () => {
    const foreign = ['10.244.9.0/24', 'via', '192.0.2.254', 'proto', 'static']
    one!.node.run('ip', 'route', 'add', ...foreign)
    stage.putNode(9)
    // Also where this test fails: those that follow count routes.
    onTestFinished(() => stage.removeNode(9))
    await poll(() => stage.routesOf(one!)).toContain('fd00:244:9::/64 via 2001:db8::9 dev eth0 metric 1024 pref medium')
    expect(one!.node.run('ip', 'route', 'show', '10.244.9.0/24').trim()).toBe(
      '10.244.9.0/24 via 192.0.2.254 dev eth0 proto static',
    )
    await poll(saidByOne).toContain(
      '"No route to a range of another node" node="node-9" range="10.244.9.0/24" why="there is a route that is not ours: 10.244.9.0/24 via 192.0.2.254 dev eth0 proto static"',
    )
    await poll(() => numberOf('switchyard_routes_refused')).toBe(1)
    one!.node.run('ip', 'route', 'del', '10.244.9.0/24')
    await poll(() => stage.routesOf(one!)).toContain('10.244.9.0/24 via 192.0.2.9 dev eth0')
    stage.removeNode(9)
    await poll(() => stage.routesOf(one!)).toHaveLength(2)
  })

  test('a node that is removed has no routes any more, and has them again under the same name, at another address', async () => {
    stage.removeNode(2)
    await poll(() => stage.routesOf(one!)).toEqual([])
    two!.node.run('ip', 'address', 'add', '192.0.2.22/24', 'dev', 'eth0')
    stage.putNode(2, { uid: 'another', addresses: ['192.0.2.22', '2001:db8::2'] })
    await poll(() => stage.routesOf(one!)).toContain('10.244.2.0/24 via 192.0.2.22 dev eth0')
    await poll(() => stage.seenOf(here!, there!.ip4)).toBe(here!.ip4)
    stage.putNode(2)
    await poll(() => stage.routesOf(one!)).toContain('10.244.2.0/24 via 192.0.2.2 dev eth0')
    // The new route stands before the old one goes.
    await poll(() => stage.routesOf(one!)).toHaveLength(2)
  })

  test('a node whose daemon has no FFI does the same by commands', async () => {
    const three = await stage.addNodeWithoutFfi(3)
    const pod = await stage.addPod(three)
    await poll(() => stage.routesOf(three)).toHaveLength(4)
    await poll(() => stage.seenOf(pod, here!.ip4)).toBe(pod.ip4)
    await poll(() => stage.seenOf(pod, OUTSIDE.ipv4)).toBe('192.0.2.3')
    three.daemon.kill('SIGTERM')
    await three.daemon.ended
    expect(stage.routesOf(three)).toHaveLength(4)
    stage.removeNode(3)
    await poll(() => stage.routesOf(one!)).toHaveLength(2)
  })

  test('while the API server is away, routes stay and are repaired, also by a daemon that starts then', async () => {
    const before = stage.routesOf(one!)
    await stage.setAway(true)
    one!.node.run('ip', 'route', 'del', '10.244.2.0/24')
    await poll(() => stage.routesOf(one!)).toEqual(before)
    one!.daemon.kill('SIGTERM')
    await one!.daemon.ended
    one!.daemon = await one!.node.startDaemon()
    await poll(saidByOne).toContain('routes stay as they are')
    expect(stage.routesOf(one!)).toEqual(before)
    expect(stage.seenOf(here!, there!.ip4)).toBe(here!.ip4)
    await stage.setAway(false)
    stage.putNode(9)
    await poll(() => stage.routesOf(one!)).toHaveLength(4)
    stage.removeNode(9)
    await poll(() => stage.routesOf(one!)).toEqual(before)
  })

  /** Lines come a little later than the routes that they are about. */
  function saidByOne(): string {
    return one!.daemon.lines.join('\n')
  }

  function numberOf(name: string): number {
    const ask = `exec 3<>/dev/tcp/127.0.0.1/10245; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`
    const text = one!.node.run('timeout', '5', 'bash', '-c', ask)
    return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1])
  }
})
