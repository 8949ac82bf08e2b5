import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { ConnectOptions, Host } from '#lab/network/host.ts'
import { systemClock } from '#system/clock.ts'
import { endpoint, ip, port, service, slice, slicePort } from '../support/objects.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// A node changes its mode under traffic: the new rules stand before the old ones go.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'])
const FAMILIES = [
  { tag: '4', pod: '10.244.1.3', at: (n: number) => `10.96.0.${n}`, outward: '198.18.0.8', node: '10.99.0.2' },
  { tag: '6', pod: 'fd00:244:1::3', at: (n: number) => `fd10:96::${n}`, outward: 'fd00:198:18::8', node: 'fd00:99::2' },
] as const
const OUTWARD = FAMILIES.map(({ outward }) => ip(outward))

/** `n` is the last part of its cluster IPs; all of them answer on one pod of this node. */
function served(name: string, n: number, more: Parameters<typeof service>[2]): readonly ClusterObject[] {
  const ips = FAMILIES.map(({ at }) => at(n))
  const ports = [slicePort(8080), slicePort(8080, 'udp', 'udp')]
  const slices = FAMILIES.map(({ tag, pod }) =>
    slice(`${name}-${tag}`, name, [endpoint(pod, { nodeName: 'here' })], { ports }),
  )
  return [service(name, ips, { type: 'NodePort', ...more }), ...slices]
}

const OBJECTS: readonly ClusterObject[] = [
  ...served('shop/web', 10, {
    ports: [port({ port: 80, nodePort: 30080 }), port({ name: 'udp', port: 80, protocol: 'udp' })],
    externalIPs: OUTWARD,
  }),
  ...served('shop/sticky', 11, { ports: [port({ port: 80, nodePort: 30081 })], stickySeconds: 600 }),
  ...served('shop/local', 12, { ports: [port({ port: 80, nodePort: 30082 })], externalPolicy: 'Local' }),
]

describe.skipIf(why !== undefined)(`a node that changes its mode${why ? ` (skipped: ${why})` : ''}`, () => {
  let rig: Rig
  beforeAll(async () => {
    const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
    rig = await Rig.open({ pods: [pod('web', 3), pod('client', 9)], objects: OBJECTS })
    const web = rig.lab.pods[0]!
    for (const protocol of ['tcp', 'udp'] as const) await web.listen(protocol, 8080)
  })
  afterAll(() => rig?.close())

  /** The chains that only this mode has, or all that it has. */
  const SIGNS = {
    iptables: /KUBE-SERVICES|KUBE-SVC-|KUBE-SEP-|KUBE-POSTROUTING/,
    userspace: /KUBE-PORTALS|KUBE-NODEPORT-|KUBE-EXTERNAL-CLOSED/,
    nftables: /^table ip6? kube-proxy/,
  } as const
  type Walked = keyof typeof SIGNS

  async function signs(): Promise<readonly Walked[]> {
    const tables = (await rig.lab.node.kernel.run(anyCommand(['nft', 'list', 'tables']))).stdout
    const saves = await Promise.all(['iptables-save', 'ip6tables-save'].map(save => rig.save(save)))
    const lines = [...saves, tables].flatMap(text => text.split('\n'))
    return (Object.keys(SIGNS) as Walked[]).filter(mode => lines.some(line => SIGNS[mode].test(line)))
  }

  /** Resolves when nothing is there but this mode. */
  async function become(mode: Walked): Promise<void> {
    rig = await rig.restart({
      objects: OBJECTS,
      flags: [`--proxy-mode=${mode}`, '--nodeport-addresses=0.0.0.0/0,::/0'],
    })
    await until(async () => (await signs()).join() === mode)
  }

  // Out of userspace mode there is a gap: with the process its listeners go.
  test.each([
    ['iptables', 'nftables'],
    ['nftables', 'iptables'],
  ])('from %s to %s loses no packet of clients that connect every 10 ms', async (_, to) => {
    const clients = allClients()
    const repeatedBefore = await repeated()
    const stop = new AbortController()
    const connecting = clients.map(client => keepConnecting(client, stop.signal))
    await until(() => haveConnected(connecting, 3))
    rig = await rig.restart({ objects: OBJECTS, flags: [`--proxy-mode=${to}`, '--nodeport-addresses=0.0.0.0/0,::/0'] })
    await until(() => rig.logged.filter(line => line.includes('Removed the rules of another mode')).length === 2)
    await until(() => haveConnected(connecting, 3))
    stop.abort()
    const results = await Promise.all(connecting.map(({ ended }) => ended))
    expect(results.flatMap(({ failures }) => failures)).toEqual([])
    // Dropped for a moment, a client would have got through at its second try, a second later.
    expect(await repeated()).toEqual(repeatedBefore)
  })

  test.each(['iptables', 'nftables'] as const)(
    'from %s to userspace loses no connection of clients that connect every 10 ms',
    async from => {
      if ((await signs()).join() !== from) await become(from)
      const clients = allClients()
      const stop = new AbortController()
      const connecting = clients.map(client => keepConnecting(client, stop.signal))
      await until(() => haveConnected(connecting, 3))
      await become('userspace')
      await until(() => haveConnected(connecting, 3))
      stop.abort()
      const results = await Promise.all(connecting.map(({ ended }) => ended))
      expect(results.flatMap(({ failures }) => failures)).toEqual([])
    },
  )

  // Into userspace mode and out of it every way, and every other way once.
  test.each(['nftables', 'userspace', 'iptables', 'userspace', 'nftables', 'iptables', 'nftables'] as const)(
    'going on to %s, it leaves nothing of the mode it had',
    async mode => {
      await become(mode)
      expect((await rig.lab.pods[1]!.connect({ to: '10.96.0.10', port: 80 })).ok).toBe(true)
      expect((await rig.lab.pods[1]!.connect({ to: 'fd10:96::10', port: 80 })).ok).toBe(true)
    },
  )

  interface Client {
    readonly host: Host
    readonly dial: ConnectOptions
  }

  /** From within and from outside, to every kind of frontend. */
  function allClients(): readonly Client[] {
    const { pods, outside, node: self } = rig.lab
    const pod = pods[1]!
    return FAMILIES.flatMap(({ at, outward, node }) => [
      ...[10, 11, 12].map(n => ({ host: pod, dial: { to: at(n), port: 80 } })),
      { host: pod, dial: { protocol: 'udp' as const, to: at(10), port: 80 } },
      { host: self, dial: { to: at(10), port: 80 } },
      { host: outside, dial: { to: outward, port: 80 } },
      ...[30080, 30081, 30082].map(port => ({ host: outside, dial: { to: node, port } })),
    ])
  }

  interface Connecting {
    /** Since it was last asked. */
    connections: number
    readonly ended: Promise<{ readonly failures: readonly string[] }>
  }

  function keepConnecting({ host, dial }: Client, signal: AbortSignal): Connecting {
    const failures: string[] = []
    const keepOn = async () => {
      while (!signal.aborted) {
        const outcome = await host.connect({ ...dial, timeoutMs: 10_000 })
        if (!outcome.ok) failures.push(`${host.name} -> ${dial.to}:${dial.port}: ${outcome.error}`)
        connecting.connections++
        await systemClock.sleep(10)
      }
      return { failures }
    }
    const connecting: Connecting = { connections: 0, ended: Promise.resolve({ failures }) }
    return Object.assign(connecting, { ended: keepOn() })
  }

  /** True once each has connected so many times more; then it counts anew. */
  function haveConnected(all: readonly Connecting[], times: number): boolean {
    if (!all.every(({ connections }) => connections >= times)) return false
    for (const one of all) one.connections = 0
    return true
  }

  /** How often a client's kernel has had to send its first packet again. */
  async function repeated(): Promise<Readonly<Record<string, number>>> {
    const { pods, outside, node } = rig.lab
    const hosts = [pods[1]!, outside, node]
    const counts = await Promise.all(
      hosts.map(async ({ name, kernel }) => {
        const { stdout } = await kernel.run(anyCommand(['cat', '/proc/net/netstat']))
        const [names, values] = stdout.split('\n').filter(line => line.startsWith('TcpExt:'))
        const at = names!.split(' ').indexOf('TCPSynRetrans')
        return [name, Number(values!.split(' ')[at])] as const
      }),
    )
    return Object.fromEntries(counts)
  }
})

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const end = systemClock.now() + 45_000
  while (!(await condition())) {
    if (systemClock.now() > end) throw new Error(`not within 45 seconds: ${condition}`)
    await systemClock.sleep(20)
  }
}
