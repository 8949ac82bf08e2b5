import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Service } from '#kubernetes/objects.ts'
import { type ConnectOptions, type Host, tally } from '#lab/network/host.ts'
import type { ConnectOutcome } from '#lab/network/pod/messages.ts'
import { modeOf } from '../proxy/modes/nftables/scene.ts'
import { cidr, endpoint, ip, port, service, slice, slicePort } from '../support/objects.ts'
import { whyNot } from './ground.ts'
import { Lanes } from './lanes.ts'

// nftables mode on the real kernel: objects in, packets through.

const HERE = { nodeName: 'here' }
const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })

const WORDS = [
  {
    family: 'IPv4',
    own: 'ip4',
    svc: (n: number) => `10.96.0.${n}`,
    ext: (n: number) => `198.18.0.${n}`,
    node: '10.99.0.2',
    second: '10.99.0.22',
    pod: (n: number) => `10.244.1.${n}`,
    far: '10.244.2.5',
    outsiders: '10.99.0.1/32',
    unused: '192.0.2.0/24',
  },
  {
    family: 'IPv6',
    own: 'ip6',
    svc: (n: number) => `fd10:96::${n}`,
    ext: (n: number) => `fd00:198:18::${n}`,
    node: 'fd00:99::2',
    second: 'fd00:99::22',
    pod: (n: number) => `fd00:244:1::${n}`,
    far: 'fd00:244:2::5',
    outsiders: 'fd00:99::1/128',
    unused: '2001:db8::/32',
  },
] as const

const why = await whyNot(['ip', 'nft', 'conntrack'])

describe.skipIf(why !== undefined)(`traffic through nftables${why ? ` (skipped: ${why})` : ''}`, () => {
  let lanes: Lanes
  let web1: Host
  let web2: Host
  let client: Host

  beforeAll(async () => {
    lanes = await Lanes.open([pod('web-1', 3), pod('web-2', 4), pod('client', 9)], modeOf)
    const { lab } = lanes
    ;[web1, web2, client] = lab.pods as [Host, Host, Host]
    for (const host of [web1, web2]) {
      await host.listen('tcp', 8080)
      await host.listen('udp', 8080)
    }
    const far = WORDS.map(words => words.far)
    for (const address of far) await lab.remote.addAddress(address)
    await lab.remote.listen('tcp', 8080, { name: 'web-far', addresses: far })
  })
  afterAll(() => lanes?.close())

  describe.each(WORDS)('$family', ({ family, own, svc, ext, node, second, pod, far, outsiders, unused }) => {
    const tag = family.toLowerCase()
    let made = 0

    /** A Service of its own for each test, with endpoints here and beyond unless `endpoints` says otherwise. */
    async function put(
      more: Partial<Service> = {},
      ends = [endpoint(pod(3), HERE), endpoint(pod(4), HERE), endpoint(far)],
    ) {
      const n = ++made
      const name = `${tag}/s${n}`
      const given = {
        ports: [port({ port: 80, nodePort: 30000 + n }), port({ name: 'udp', port: 80, protocol: 'udp' as const })],
        ...more,
      }
      const ports = [slicePort(8080), slicePort(8080, 'udp', 'udp')]
      await lanes.put(
        service(name, [svc(n)], given),
        slice(`${name}-1`, name, ends, { family: own === 'ip4' ? 'ipv4' : 'ipv6', ports }),
      )
      return { name, ports, vip: svc(n), nodePort: 30000 + n }
    }

    const names = async (host: Host, dial: ConnectOptions, times = 40): Promise<readonly string[]> =>
      Object.keys(tally(await host.connectMany(times, dial))).sort()
    const peersOf = (outcomes: readonly ConnectOutcome[]): ReadonlySet<string> =>
      new Set(outcomes.map(outcome => (outcome.ok ? outcome.answer.peer.address : outcome.error)))

    test('a pod reaches every endpoint through the cluster IP, with its own address', async () => {
      const { vip } = await put()
      const outcomes = await client.connectMany(40, { to: vip, port: 80 })
      expect(Object.keys(tally(outcomes)).sort()).toEqual(['web-1', 'web-2', 'web-far'])
      expect([...peersOf(outcomes)]).toEqual([client[own]])
    })

    test('the node itself reaches every endpoint, and so does a client from outside, masqueraded', async () => {
      const { vip } = await put()
      expect(await names(lanes.lab.node, { to: vip, port: 80 })).toEqual(['web-1', 'web-2', 'web-far'])
      const outcomes = await lanes.lab.outside.connectMany(40, { to: vip, port: 80 })
      expect(Object.keys(tally(outcomes)).sort()).toEqual(['web-1', 'web-2', 'web-far'])
      expect([...peersOf(outcomes)]).not.toContain(lanes.lab.outside[own])
    })

    test('a node port answers clients from outside, masqueraded, and only at the address that was named', async () => {
      const { nodePort } = await put()
      const outcomes = await lanes.lab.outside.connectMany(40, { to: node, port: nodePort })
      expect(Object.keys(tally(outcomes)).sort()).toEqual(['web-1', 'web-2', 'web-far'])
      expect([...peersOf(outcomes)]).not.toContain(lanes.lab.outside[own])
      expect(await names(client, { to: node, port: nodePort })).toEqual(['web-1', 'web-2', 'web-far'])
      expect(await lanes.lab.outside.connect({ to: second, port: nodePort })).toMatchObject({ error: 'refused' })
    })

    test('an external address answers clients from outside, masqueraded', async () => {
      await put({ externalIPs: [ip(ext(made + 1))] })
      const outcomes = await lanes.lab.outside.connectMany(40, { to: ext(made), port: 80 })
      expect(Object.keys(tally(outcomes)).sort()).toEqual(['web-1', 'web-2', 'web-far'])
      expect([...peersOf(outcomes)]).not.toContain(lanes.lab.outside[own])
    })

    test('a pod reaches itself through its Service, masqueraded', async () => {
      const { vip } = await put({}, [endpoint(pod(3), HERE)])
      const outcomes = await web1.connectMany(5, { to: vip, port: 80 })
      expect(tally(outcomes)).toEqual({ 'web-1': 5 })
      expect([...peersOf(outcomes)]).not.toContain(web1[own])
      expect([...peersOf(await client.connectMany(5, { to: vip, port: 80 }))]).toEqual([client[own]])
    })

    test('UDP goes to UDP endpoints', async () => {
      const { vip } = await put({}, [endpoint(pod(3), HERE), endpoint(pod(4), HERE)])
      expect(await names(client, { protocol: 'udp', to: vip, port: 80 })).toEqual(['web-1', 'web-2'])
    })

    test('a Service without endpoints is refused at once, and so is a port that no Service has', async () => {
      const { vip, nodePort } = await put({ externalIPs: [ip(ext(made + 1))] }, [])
      for (const attempt of [
        client.connect({ to: vip, port: 80 }),
        client.connect({ protocol: 'udp', to: vip, port: 80 }),
        lanes.lab.node.connect({ to: vip, port: 80 }),
        lanes.lab.outside.connect({ to: ext(made), port: 80 }),
        lanes.lab.outside.connect({ to: node, port: nodePort }),
        client.connect({ to: vip, port: 81 }),
        lanes.lab.node.connect({ to: vip, port: 81 }),
      ]) {
        expect(await attempt).toMatchObject({ ok: false, error: 'refused' })
      }
    })

    test('policy Local keeps clients from outside on this node with their own address, and sends pods everywhere', async () => {
      const { nodePort } = await put({ externalPolicy: 'Local', type: 'NodePort' }, [
        endpoint(pod(4), HERE),
        endpoint(far),
      ])
      const outcomes = await lanes.lab.outside.connectMany(10, { to: node, port: nodePort })
      expect(tally(outcomes)).toEqual({ 'web-2': 10 })
      expect([...peersOf(outcomes)]).toEqual([lanes.lab.outside[own]])
      expect(await names(client, { to: node, port: nodePort })).toEqual(['web-2', 'web-far'])
      expect(await names(lanes.lab.node, { to: node, port: nodePort })).toEqual(['web-2', 'web-far'])
    })

    test('and drops clients from outside where no endpoint is on this node', async () => {
      const { nodePort } = await put({ externalPolicy: 'Local', type: 'NodePort' }, [endpoint(far)])
      expect(await lanes.lab.outside.connect({ to: node, port: nodePort, timeoutMs: 400 })).toMatchObject({
        error: 'timeout',
      })
      expect(await names(client, { to: node, port: nodePort }, 3)).toEqual(['web-far'])
    })

    test('a client that comes back finds the endpoint it found, whichever frontend it connects to', async () => {
      const { vip, nodePort } = await put({ stickySeconds: 100 })
      const [first, ...others] = await names(client, { to: vip, port: 80 }, 12)
      expect(others).toEqual([])
      expect(await names(client, { to: node, port: nodePort }, 12)).toEqual([first])
    })

    test('source ranges let some to a load balancer address, and drop the others', async () => {
      const guarded = (ranges: readonly string[]) => ({
        type: 'LoadBalancer' as const,
        loadBalancerIPs: [ip(ext(made + 1))],
        sourceRanges: ranges.map(cidr),
      })
      await put(guarded([outsiders, unused]))
      expect(await names(lanes.lab.outside, { to: ext(made), port: 80 })).toEqual(['web-1', 'web-2', 'web-far'])
      await put(guarded([unused]))
      expect(await lanes.lab.outside.connect({ to: ext(made), port: 80, timeoutMs: 400 })).toMatchObject({
        error: 'timeout',
      })
    })

    test('an endpoint that goes takes no new connection, and open ones live on', async () => {
      const { name, vip, ports } = await put()
      const opened = await Promise.all(Array.from({ length: 6 }, () => client.open({ to: vip, port: 80 })))
      const streams = opened.flatMap(one => (one.ok ? [one.stream] : []))
      const before = await Promise.all(streams.map(stream => stream.send('before')))
      await lanes.put(slice(`${name}-1`, name, [endpoint(pod(4), HERE), endpoint(far)], { ports }))
      const after = await Promise.all(streams.map(stream => stream.send('after')))
      expect(tally(after)).toEqual(tally(before))
      expect(after.filter(({ ok }) => ok)).toHaveLength(6)
      expect(await names(client, { to: vip, port: 80 })).toEqual(['web-2', 'web-far'])
      await Promise.all(streams.map(stream => stream.close()))
    })

    test('a change of endpoints writes elements and nothing else', async () => {
      const { name, ports } = await put({}, [endpoint(pod(3), HERE), endpoint(far)])
      await put({}, [endpoint(pod(3), HERE), endpoint(pod(4), HERE), endpoint(far)])
      lanes.commands.length = 0
      for (const ends of [
        [endpoint(pod(4), HERE), endpoint(far)],
        [endpoint(pod(3), HERE), endpoint(pod(4), HERE), endpoint(far)],
      ]) {
        await lanes.put(slice(`${name}-1`, name, ends, { ports }))
      }
      const nft = lanes.commands.filter(({ argv }) => argv[0] === 'nft')
      expect(nft).toHaveLength(2)
      for (const { input } of nft) expect(input).toMatch(/^(?:(?:add|delete) element .*\n)+$/)
    })
  })
})
