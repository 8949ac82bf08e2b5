import assert from 'node:assert/strict'
import { anyCommand } from '#lab/any-command.ts'
import { Host } from '#lab/network/host.ts'
import type { RouteNode } from '#routes/cluster/route-node.ts'
import { type RouteReport, routeRound, type StandingRoutes } from '#routes/round.ts'
import { must } from '#system/must.ts'
import type { NamespaceNetwork, Networks } from '#system/network/network.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { FAMILIES, parseAddress } from '#values/address.ts'
import { parseCidr } from '#values/cidr.ts'
import { type Namespace, newNamespace } from '../kernel/namespace.ts'

// Two nodes with a router between them that knows nothing of pods, and rounds of routes on each.

/** The machine is slow. */
export const PATIENCE_MS = 10_000

export interface OverlayNode {
  readonly namespace: Namespace
  readonly network: NamespaceNetwork
  readonly node: RouteNode
  readonly pod: Host
  readonly self: Host
  before: StandingRoutes | undefined
}

export interface OverlayStage {
  readonly networks: Networks
  readonly nodes: readonly [OverlayNode, OverlayNode]
  readonly namespaces: readonly Namespace[]
}

export type Underlay = 'ipv4' | 'ipv6'

/** Of node N: 192.0.N.0/24 and 2001:db8:N::/64, with the router at the end of each. */
async function nodeOn(number: 1 | 2, router: Namespace, networks: Networks, underlay: Underlay): Promise<OverlayNode> {
  const [namespace, pod] = [await newNamespace('overlay-node'), await newNamespace('overlay-pod')]
  const run = (where: Namespace, lines: readonly string[]) =>
    must(where.kernel, anyCommand(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` }))
  const [own, range] = [`192.0.${number}.1`, `10.244.${number}`]
  await run(router, [
    `link add to${number} type veth peer name eth0 netns ${namespace.name}`,
    `address add 192.0.${number}.254/24 dev to${number}`,
    `address add 2001:db8:${number}::fe/64 dev to${number} nodad`,
    `link set to${number} up`,
  ])
  await run(namespace, [
    'link set lo up',
    `address add ${own}/24 dev eth0`,
    `address add 2001:db8:${number}::1/64 dev eth0 nodad`,
    'link set eth0 up',
    `route add default via 192.0.${number}.254`,
    `route add default via 2001:db8:${number}::fe`,
    'link add cni0 type bridge',
    `address add ${range}.1/24 dev cni0`,
    `address add fd00:244:${number}::1/64 dev cni0 nodad`,
    'link set cni0 up',
    `link add port type veth peer name eth0 netns ${pod.name}`,
    'link set port master cni0 up',
  ])
  await run(pod, [
    'link set lo up',
    `link set eth0 mtu ${underlay === 'ipv4' ? 1450 : 1430}`,
    `address add ${range}.2/24 dev eth0`,
    `address add fd00:244:${number}::2/64 dev eth0 nodad`,
    'link set eth0 up',
    `route add default via ${range}.1`,
    `route add default via fd00:244:${number}::1`,
  ])
  await forwards(namespace)
  const addresses = [parseAddress(own)!, parseAddress(`2001:db8:${number}::1`)!]
  const host = (name: string, at: Namespace, ip4: string, ip6: string) =>
    new Host(hostKernel(), { name, namespace: at.name, ip4, ip6, families: FAMILIES, patienceMs: PATIENCE_MS })
  return {
    namespace,
    network: await networks.open(`/run/netns/${namespace.name}`),
    node: {
      name: `node-${number}`,
      addresses: underlay === 'ipv4' ? addresses : addresses.toReversed(),
      ranges: [parseCidr(`${range}.0/24`)!, parseCidr(`fd00:244:${number}::/64`)!],
    },
    pod: host(`pod-${number}`, pod, `${range}.2`, `fd00:244:${number}::2`),
    self: host(`node-${number}`, namespace, own, `2001:db8:${number}::1`),
    before: undefined,
  }
}

async function forwards({ kernel }: Namespace): Promise<void> {
  const names = ['ipv4/ip_forward', 'ipv6/conf/all/forwarding'].map(name => `/proc/sys/net/${name}`)
  await must(kernel, anyCommand(['tee', ...names], { input: '1\n' }))
}

export async function opened(networks: Networks, underlay: Underlay): Promise<OverlayStage> {
  const router = await newNamespace('overlay-router')
  await forwards(router)
  const nodes = [await nodeOn(1, router, networks, underlay), await nodeOn(2, router, networks, underlay)] as const
  const pods = nodes.map(({ pod }) => ({ name: pod.namespace }) as Namespace)
  const stage = { networks, nodes, namespaces: [router, ...nodes.map(({ namespace }) => namespace), ...pods] }
  for (const node of nodes) await node.pod.listen('tcp', 80)
  for (const node of nodes) await rounded(stage, node)
  return stage
}

export async function rounded(
  { nodes }: OverlayStage,
  one: OverlayNode,
  only?: readonly RouteNode[],
): Promise<RouteReport> {
  const cluster = only ?? nodes.map(({ node }) => node)
  const report = await routeRound({
    ...{ nodeName: one.node.name, cluster, network: one.network, before: one.before },
    pause: async () => {},
    settings: { overlay: 'auto', vni: 1, port: 8472 },
  })
  if (typeof report === 'string') throw new Error(report)
  one.before = report.standing
  assert.deepEqual([report.refused, report.plan.refused], [[], []])
  return report
}

export async function closed({ nodes, namespaces }: OverlayStage): Promise<void> {
  for (const { network, pod, self } of nodes) {
    network.close()
    await pod.stop()
    await self.stop()
  }
  const names = namespaces.map(({ name }) => name)
  await hostKernel().run(
    anyCommand(['ip', '-force', '-batch', '-'], { input: names.map(one => `netns del ${one}\n`).join('') }),
  )
}
