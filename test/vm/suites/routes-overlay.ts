import assert from 'node:assert/strict'
import { commandNetworks } from '#cni/network/networks.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { keepRoutes } from '#routes/keeper.ts'
import { ROUTE_PROTOCOL } from '#routes/plan/route-plan.ts'
import { vtepMac } from '#routes/plan/vtep.ts'
import { removeRoutes } from '#routes/removal.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import type { Networks } from '#system/network/network.ts'
import { openRouteWatch } from '#system/network/route-watch.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { captureLog } from '../../support/captured-log.ts'
import { closed, type OverlayStage, opened, PATIENCE_MS, rounded, type Underlay } from '../overlay-stage.ts'
import { type Suite, suite } from '../suite.ts'

// Two nodes with a router between them that knows nothing of pods, on a kernel that has VXLAN: their pods talk over the overlay.

/** As long as it may take on a slow machine, and less than the time between two looks at everything. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = systemClock.now() + 25_000
  while (!(await isSo())) {
    assert.ok(systemClock.now() < deadline, 'it did not come to be')
    await systemClock.sleep(100)
  }
}

async function seen(from: Host, to: string): Promise<string> {
  const outcome = await from.connect({ to, port: 80 })
  return outcome.ok ? `${outcome.answer.name} saw ${outcome.answer.peer.address}` : outcome.error
}

const CHECKS: Readonly<Record<string, (stage: OverlayStage) => Promise<void>>> = {
  async 'pods reach each other with their own addresses, in both families'({ nodes: [one, two] }) {
    assert.equal(await seen(one.pod, two.pod.ip4), 'pod-2 saw 10.244.1.2')
    assert.equal(await seen(two.pod, one.pod.ip4), 'pod-1 saw 10.244.2.2')
    assert.equal(await seen(one.pod, two.pod.ip6), 'pod-2 saw fd00:244:1::2')
    assert.equal(await seen(two.pod, one.pod.ip6), 'pod-1 saw fd00:244:2::2')
  },

  async 'a node reaches pods of the other from the first address of its own range'({ nodes: [one, two] }) {
    assert.equal(await seen(one.self, two.pod.ip4), 'pod-2 saw 10.244.1.0')
    assert.equal(await seen(one.self, two.pod.ip6), 'pod-2 saw fd00:244:1::')
  },

  async 'what fills packets gets through'({ nodes: [one, two] }) {
    const connection = await one.pod.open({ to: two.pod.ip4, port: 80 })
    assert.ok(connection.ok)
    const outcome = await connection.stream.send('x'.repeat(50_000), PATIENCE_MS)
    assert.ok(outcome.ok)
    await connection.stream.close()
  },

  async 'the link has room for what its underlay carries, and no tunnel but the one'({ nodes: [one, two] }) {
    const link = (await one.network.link('switchyard-vx'))!
    const { local } = link.vxlan!
    assert.equal(link.mtu, local?.includes(':') ? 1430 : 1450)
    assert.equal(link.mac, vtepMac('node-1'))
    assert.deepEqual(await one.network.neighbours.tunnels('switchyard-vx'), [
      { mac: vtepMac('node-2'), host: two.node.addresses[0] },
    ])
  },

  async 'a round finds nothing to do, and mends what another program has taken'(stage) {
    const [one, two] = stage.nodes
    assert.deepEqual((await rounded(stage, one)).changes, [])
    for (const argv of [
      ['ip', 'route', 'del', '10.244.2.0/24'],
      ['ip', 'neighbour', 'del', '10.244.2.0', 'dev', 'switchyard-vx'],
      ['bridge', 'fdb', 'del', vtepMac('node-2'), 'dev', 'switchyard-vx', 'dst', two.node.addresses[0]!],
    ] as const)
      await must(one.namespace.kernel, anyCommand(argv))
    const { changes } = await rounded(stage, one)
    assert.deepEqual(
      changes.map(change => change.do),
      ['set tunnel', 'set neighbour', 'add route'],
    )
    assert.equal(await seen(one.pod, two.pod.ip4), 'pod-2 saw 10.244.1.2')
  },

  async 'a link that was deleted is made again, with all that is on it'(stage) {
    const [one, two] = stage.nodes
    await must(one.namespace.kernel, anyCommand(['ip', 'link', 'del', 'switchyard-vx']))
    assert.equal((await rounded(stage, one)).repaired.length, 2)
    assert.equal(await seen(one.pod, two.pod.ip6), 'pod-2 saw fd00:244:1::2')
  },

  async 'without the other node there is no overlay, and with it there is one again'(stage) {
    const [one, two] = stage.nodes
    await rounded(stage, one, [one.node])
    assert.equal(await one.network.link('switchyard-vx'), undefined)
    await rounded(stage, one)
    assert.equal(await seen(one.pod, two.pod.ip4), 'pod-2 saw 10.244.1.2')
  },

  async 'the daemon’s loop mends by itself what is taken away'({ networks, nodes: [one, two] }) {
    const path = `/run/netns/${one.namespace.name}`
    const [stop, seenLines] = [new AbortController(), captureLog(0)]
    const kept = keepRoutes({
      ...{ nodeName: one.node.name, settings: { overlay: 'auto', vni: 1, port: 8472 } },
      view: { revision: 1, cluster: () => [one.node, two.node] },
      networks: { open: () => networks.open(path) },
      ...{ ownAddresses: async () => undefined, clock: systemClock, log: seenLines.log, signal: stop.signal },
      watch: links => openRouteWatch({ protocol: ROUTE_PROTOCOL, links, namespace: path }),
      ...{ observed: () => {}, kept: async () => {} },
    })
    try {
      await until(() => seenLines.lines.some(line => line.includes('Routes to other nodes stand')))
      await must(one.namespace.kernel, anyCommand(['ip', 'link', 'del', 'switchyard-vx']))
      await until(async () => (await seen(one.pod, two.pod.ip4)) === 'pod-2 saw 10.244.1.2')
      assert.ok(seenLines.lines.some(line => line.includes('Route was taken away')))
    } finally {
      stop.abort()
      await kept
    }
  },

  async 'all of it can be taken away'({ nodes: [one] }) {
    const removed = await removeRoutes(one.network, one.namespace.kernel)
    assert.deepEqual(removed, { routes: 2, overlay: 'removed' })
    const left = await must(one.namespace.kernel, anyCommand(['ip', 'route', 'show', 'proto', '115']))
    assert.equal(left.stdout, '')
  },
}

function overlay(title: string, networks: () => Networks, underlay: Underlay): Suite {
  return suite(title, { open: () => opened(networks(), underlay), close: closed, checks: CHECKS })
}

export const overlayOverNetlink = overlay('an overlay over netlink', () => netlinkNetworks()!, 'ipv4')
export const overlayInIpv6 = overlay('an overlay in IPv6', () => netlinkNetworks()!, 'ipv6')
export const overlayByCommands = overlay('an overlay by commands', () => commandNetworks(hostKernel()), 'ipv4')
