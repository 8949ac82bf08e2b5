import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { tally } from '#lab/network/host.ts'
import { endpoint, ip, port, service, slice, slicePort } from '../support/objects.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// The whole line on the real kernel: objects in, packets through.

const HERE = { nodeName: 'here' }
const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })

const FAMILIES = [
  {
    family: 'IPv4',
    vip: '10.96.0.10',
    dead: '10.96.0.99',
    node: '10.99.0.2',
    self: 'ip4',
    far: '10.244.2.5',
    udp: '10.96.0.53',
  },
  {
    family: 'IPv6',
    vip: 'fd10:96::10',
    dead: 'fd10:96::99',
    node: 'fd00:99::2',
    self: 'ip6',
    far: 'fd00:244:2::5',
    udp: 'fd10:96::53',
  },
] as const

const WEB = { ports: [port({ name: 'http', port: 80, nodePort: 30080 })], type: 'NodePort' as const }
const HTTP = { ports: [slicePort(8080, 'http')] }
const OBJECTS: readonly ClusterObject[] = [
  service('shop/web', ['10.96.0.10', 'fd10:96::10'], WEB),
  slice(
    'shop/web-4',
    'shop/web',
    [endpoint('10.244.1.3', HERE), endpoint('10.244.1.4', HERE), endpoint('10.244.2.5')],
    HTTP,
  ),
  slice(
    'shop/web-6',
    'shop/web',
    [endpoint('fd00:244:1::3', HERE), endpoint('fd00:244:1::4', HERE), endpoint('fd00:244:2::5')],
    HTTP,
  ),
  service('shop/dns', ['10.96.0.53', 'fd10:96::53'], {
    ports: [port({ port: 53, protocol: 'udp', nodePort: 30053 })],
  }),
  slice('shop/dns-4', 'shop/dns', [endpoint('10.244.1.3', HERE), endpoint('10.244.1.4', HERE)], {
    ports: [slicePort(5353, '', 'udp')],
  }),
  slice('shop/dns-6', 'shop/dns', [endpoint('fd00:244:1::3', HERE), endpoint('fd00:244:1::4', HERE)], {
    ports: [slicePort(5353, '', 'udp')],
  }),
  service('shop/dead', ['10.96.0.99', 'fd10:96::99'], {
    ports: [port({ name: 'tcp', port: 80, nodePort: 30099 }), port({ name: 'udp', port: 80, protocol: 'udp' })],
  }),
]

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])

describe.skipIf(why !== undefined)(`traffic through iptables${why ? ` (skipped: ${why})` : ''}`, () => {
  let rig: Rig
  let client: Host
  let web1: Host

  beforeAll(async () => {
    rig = await Rig.open({ pods: [pod('web-1', 3), pod('web-2', 4), pod('client', 9)], objects: OBJECTS })
    const { lab } = rig
    for (const host of lab.pods.slice(0, 2)) {
      await host.listen('tcp', 8080)
      await host.listen('udp', 5353)
    }
    await lab.remote.addAddress('10.244.2.5')
    await lab.remote.addAddress('fd00:244:2::5')
    await lab.remote.listen('tcp', 8080, { name: 'web-far', addresses: ['10.244.2.5', 'fd00:244:2::5'] })
    client = lab.pods[2]!
    web1 = lab.pods[0]!
  })
  afterAll(() => rig?.close())

  describe.each(FAMILIES)('$family', ({ vip, dead, node, self, udp }) => {
    test('a pod reaches every endpoint through the cluster IP, with its own address', async () => {
      const outcomes = await client.connectMany(40, { to: vip, port: 80 })
      expect(Object.keys(tally(outcomes)).sort()).toEqual(['web-1', 'web-2', 'web-far'])
      const peers = new Set(outcomes.map(outcome => outcome.ok && outcome.answer.peer.address))
      expect([...peers]).toEqual([client[self]])
    })

    test('the node itself reaches every endpoint through the cluster IP', async () => {
      const outcomes = await rig.lab.node.connectMany(40, { to: vip, port: 80 })
      expect(Object.keys(tally(outcomes)).sort()).toEqual(['web-1', 'web-2', 'web-far'])
    })

    test('a client beyond the node reaches every endpoint through the node port, masqueraded', async () => {
      const outcomes = await rig.lab.outside.connectMany(40, { to: node, port: 30080 })
      expect(Object.keys(tally(outcomes)).sort()).toEqual(['web-1', 'web-2', 'web-far'])
      for (const outcome of outcomes) expect(outcome.ok && outcome.answer.peer.address).not.toBe(rig.lab.outside[self])
    })

    test('a pod reaches itself through its Service, masqueraded', async () => {
      const outcomes = await web1.connectMany(30, { to: vip, port: 80 })
      const own = outcomes.filter(outcome => outcome.ok && outcome.answer.name === 'web-1')
      expect(own.length).toBeGreaterThan(0)
      for (const outcome of own) expect(outcome.ok && outcome.answer.peer.address).not.toBe(web1[self])
      expect(outcomes.every(({ ok }) => ok)).toBe(true)
    })

    test('UDP goes through the cluster IP and the node port to every endpoint', async () => {
      const inside = await client.connectMany(30, { protocol: 'udp', to: udp, port: 53 })
      expect(Object.keys(tally(inside)).sort()).toEqual(['web-1', 'web-2'])
      const outside = await rig.lab.outside.connectMany(30, { protocol: 'udp', to: node, port: 30053 })
      expect(Object.keys(tally(outside)).sort()).toEqual(['web-1', 'web-2'])
    })

    test('a Service without endpoints is refused at once, from everywhere', async () => {
      for (const attempt of [
        client.connect({ to: dead, port: 80 }),
        client.connect({ protocol: 'udp', to: dead, port: 80 }),
        rig.lab.node.connect({ to: dead, port: 80 }),
        rig.lab.outside.connect({ to: node, port: 30099 }),
      ]) {
        expect(await attempt).toMatchObject({ ok: false, error: 'refused' })
      }
    })
  })

  test('an endpoint that goes is not chosen any more, one that comes is', async () => {
    const http = { ports: [slicePort(8080, 'http')] }
    await rig.put(slice('shop/web-4', 'shop/web', [endpoint('10.244.1.4', HERE)], http))
    expect(tally(await client.connectMany(10, { to: '10.96.0.10', port: 80 }))).toEqual({ 'web-2': 10 })
    await rig.put(
      slice(
        'shop/web-4',
        'shop/web',
        [endpoint('10.244.1.3', HERE), endpoint('10.244.1.4', HERE), endpoint('10.244.2.5')],
        http,
      ),
    )
    expect(Object.keys(tally(await client.connectMany(40, { to: '10.96.0.10', port: 80 })))).toHaveLength(3)
  })

  test('a change of endpoints writes only the chains it touches', async () => {
    const http = { ports: [slicePort(8080, 'http')] }
    rig.commands.length = 0
    await rig.put(
      slice('shop/web-6', 'shop/web', [endpoint('fd00:244:1::3', HERE), endpoint('fd00:244:1::4', HERE)], http),
    )
    const writes = rig.commands.filter(({ argv }) => argv[0].includes('restore'))
    expect(writes).toHaveLength(1)
    const chains = writes[0]!
      .input!.split('\n')
      .filter(line => line.startsWith(':'))
      .map(line => line.slice(1, 10))
    expect(chains.sort()).toEqual([':KUBE-SEP', ':KUBE-SVC'].map(text => `${text.slice(1)}-`))
    await rig.put(
      slice(
        'shop/web-6',
        'shop/web',
        [endpoint('fd00:244:1::3', HERE), endpoint('fd00:244:1::4', HERE), endpoint('fd00:244:2::5')],
        http,
      ),
    )
  })

  test('nothing at all is written where nothing changed', async () => {
    rig.commands.length = 0
    await rig.settled()
    expect(rig.commands).toEqual([])
  })

  test('what an agent that starts reads back is what was written, word for word', async () => {
    rig = await rig.restart({ objects: OBJECTS })
    const first = ['ipv4', 'ipv6'].map(family => rig.reports.find(report => report.family === family))
    const nothing = { looked: true, units: { added: 0, changed: 0, removed: 0 } }
    expect(first).toMatchObject([nothing, nothing])
  })

  test('rules that another program flushed are written again at the next look', async () => {
    const before = await rig.save()
    await rig.lab.node.kernel.run(anyCommand(['iptables', '-t', 'nat', '-F']))
    rig.agent.distrust()
    await rig.settled()
    expect(await rig.save()).toBe(before)
  })

  test('sticky clients stay with their endpoint, whichever frontend they connect to', async () => {
    await rig.put(
      service('shop/web', ['10.96.0.10', 'fd10:96::10'], {
        ports: [port({ name: 'http', port: 80, nodePort: 30080 })],
        type: 'NodePort',
        stickySeconds: 100,
        externalIPs: [ip('198.18.0.7')],
      }),
    )
    for (const host of [client, rig.lab.outside]) {
      const names = tally(await host.connectMany(12, { to: '198.18.0.7', port: 80 }))
      expect(Object.keys(names)).toHaveLength(1)
    }
    const first = await client.connect({ to: '10.96.0.10', port: 80 })
    const again = await client.connect({ to: '198.18.0.7', port: 80 })
    expect(first.ok && first.answer.name).toBe(again.ok && again.answer.name)
  })
})
