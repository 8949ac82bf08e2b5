import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { ApiObject } from '#lab/api-server/store.ts'
import { type Host, tally } from '#lab/network/host.ts'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { whyNot } from './ground.ts'
import { COMPILED } from './namespace.ts'
import { NodePrograms, until } from './node-programs.ts'
import { once, type Traffic, traffic } from './traffic.ts'
import type { Answered, Digest } from './traffic-program.ts'

// userspace mode as a user starts it: the agent on a node of its own, real packets, and everything that can happen to a
// connection on its way through it.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])
const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
const FLAGS = [
  '--proxy-mode=userspace',
  '--cluster-cidr=10.244.0.0/16,fd00:244::/32',
  '--proxy-port-range=20000-20999',
  '--iptables-min-sync-period=0s',
]
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const FAMILIES = [
  { family: 'IPv4', vip: '10.96.0.10', dns: '10.96.0.53', dead: '10.96.0.99', node: '10.99.0.2', self: 'ip4' },
  { family: 'IPv6', vip: 'fd10:96::10', dns: 'fd10:96::53', dead: 'fd10:96::99', node: 'fd00:99::2', self: 'ip6' },
] as const

interface PortSpec {
  readonly name?: string
  readonly port: number
  readonly protocol?: 'TCP' | 'UDP'
  readonly nodePort?: number
}

function service(name: string, ips: readonly string[], ports: readonly PortSpec[], more: object = {}): ApiObject {
  const spec = {
    type: ports.some(port => port.nodePort) ? 'NodePort' : 'ClusterIP',
    clusterIP: ips[0],
    clusterIPs: ips,
  }
  const ipFamilies = ips.map(ip => (ip.includes(':') ? 'IPv6' : 'IPv4'))
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'shop' },
    spec: { ...spec, ipFamilies, ports: ports.map(port => ({ protocol: 'TCP', ...port })), ...more },
  }
}

/** One slice a family; an address of 10.244.1.0/24 is a pod of this node. */
function slices(of: string, port: number, addresses: readonly string[], protocol = 'TCP'): readonly ApiObject[] {
  return (['IPv4', 'IPv6'] as const).map(addressType => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: `${of}-${addressType.toLowerCase()}`,
      namespace: 'shop',
      labels: { 'kubernetes.io/service-name': of },
    },
    addressType,
    ports: [{ name: '', port, protocol }],
    endpoints: addresses
      .filter(address => address.includes(':') === (addressType === 'IPv6'))
      .map(address => ({
        addresses: [address],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: /^(10\.244\.1\.|fd00:244:1:)/.test(address) ? 'here' : 'there',
      })),
  }))
}

const WEB = ['10.244.1.3', '10.244.1.4', '10.244.2.5', 'fd00:244:1::3', 'fd00:244:1::4', 'fd00:244:2::5']
const DNS = WEB.filter(address => !address.endsWith('5'))

const NODE: ApiObject = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'here' },
  status: {
    addresses: ['10.99.0.2', 'fd00:99::2'].map(address => ({ type: 'InternalIP', address })),
  },
}

const OBJECTS: readonly ApiObject[] = [
  NODE,
  service('web', ['10.96.0.10', 'fd10:96::10'], [{ port: 80, nodePort: 30080 }]),
  ...slices('web', 8080, WEB),
  service('dns', ['10.96.0.53', 'fd10:96::53'], [{ port: 53, protocol: 'UDP', nodePort: 30053 }]),
  ...slices('dns', 5353, DNS, 'UDP'),
  service(
    'dead',
    ['10.96.0.99', 'fd10:96::99'],
    [
      { name: 'tcp', port: 80, nodePort: 30099 },
      { name: 'udp', port: 80, protocol: 'UDP' },
    ],
  ),
]

describe.skipIf(why !== undefined)(`traffic through userspace mode${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: Lab
  let programs: NodePrograms
  let client: Host
  const servers: Traffic[] = []

  beforeAll(async () => {
    lab = await openLab(hostKernel(), { pods: [pod('web-1', 3), pod('web-2', 4), pod('client', 9)] })
    client = lab.pods[2]!
    for (const host of lab.pods.slice(0, 2)) {
      await host.listen('tcp', 8080)
      await host.listen('udp', 5353)
      servers.push(traffic(host, { do: 'serve digests', port: 9001 }))
      servers.push(traffic(host, { do: 'serve lines', port: 9002 }))
      servers.push(traffic(host, { do: 'serve datagrams', port: 9003 }))
    }
    for (const server of servers) await server.next()
    for (const address of ['10.244.2.5', 'fd00:244:2::5']) await lab.remote.addAddress(address)
    await lab.remote.listen('tcp', 8080, { name: 'web-far', addresses: ['10.244.2.5', 'fd00:244:2::5'] })
    programs = await NodePrograms.start(lab, FLAGS, OBJECTS)
    await until(async () => (await client.connect({ to: 'fd10:96::10', port: 80, timeoutMs: 1000 })).ok)
    await until(async () => (await client.connect({ to: '10.96.0.10', port: 80, timeoutMs: 1000 })).ok)
  })
  afterAll(async () => {
    if (process.env.SHOW) console.log(programs?.log)
    await programs?.stop()
    await Promise.all(servers.map(server => server.stop()))
    await lab?.close()
  })

  describe.each(FAMILIES)('$family', ({ vip, dns, dead, node, self }) => {
    test('endpoints take turns, whichever frontend clients use, and see the node as their client', async () => {
      for (const [host, to, port] of [
        [client, vip, 80],
        [lab.node, vip, 80],
        [lab.outside, node, 30080],
        [client, node, 30080],
        [lab.node, node, 30080],
      ] as const) {
        const outcomes = await host.connectMany(12, { to, port })
        expect(tally(outcomes)).toEqual({ 'web-1': 4, 'web-2': 4, 'web-far': 4 })
        for (const outcome of outcomes) expect(outcome.ok && outcome.answer.peer.address).not.toBe(client[self])
      }
    })

    test('node ports answer at every address of the node, and on its loopback', async () => {
      const second = self === 'ip4' ? '10.99.0.22' : 'fd00:99::22'
      const loopback = self === 'ip4' ? '127.0.0.1' : '::1'
      expect(await lab.outside.connect({ to: second, port: 30080 })).toMatchObject({ ok: true })
      expect(await lab.node.connect({ to: loopback, port: 30080 })).toMatchObject({ ok: true })
    })

    test('a pod reaches itself through its Service', async () => {
      expect(tally(await lab.pods[0]!.connectMany(6, { to: vip, port: 80 }))).toMatchObject({ 'web-1': 2 })
    })

    test('UDP is answered through the cluster IP and the node port', async () => {
      for (const [host, to, port] of [
        [client, dns, 53],
        [lab.node, dns, 53],
        [lab.outside, node, 30053],
      ] as const) {
        const outcomes = await host.connectMany(8, { protocol: 'udp', to, port })
        expect(tally(outcomes)).toEqual({ 'web-1': 4, 'web-2': 4 })
      }
    })

    test('a Service without endpoints is refused at once, from everywhere', async () => {
      for (const attempt of [
        client.connect({ to: dead, port: 80 }),
        client.connect({ protocol: 'udp', to: dead, port: 80 }),
        lab.node.connect({ to: dead, port: 80 }),
        lab.outside.connect({ to: node, port: 30099 }),
      ]) {
        expect(await attempt).toMatchObject({ ok: false, error: 'refused' })
      }
    })
  })

  test('the log says what kube-proxy said, and what the relay can carry', () => {
    for (const line of [
      /^I.* Using userspace Proxier\.$/m,
      /^I.* Adding new service "shop\/web" at 10\.96\.0\.10:80\/TCP$/m,
      /^I.* Adding new service "shop\/dns" at fd10:96::53:53\/UDP$/m,
      /^I.* LoadBalancerRR: Setting endpoints for shop\/web to \[10\.244\.1\.3:8080 10\.244\.1\.4:8080 10\.244\.2\.5:8080\]$/m,
      /^I.* "The relay is ready; .*" workers=\d+ limit=\d+ connections=\d{3,}$/m,
    ]) {
      expect(programs.log).toMatch(line)
    }
  })

  test('proxy ports are taken from --proxy-port-range', async () => {
    const { stdout } = await lab.node.kernel.run(anyCommand(['iptables-save', '-t', 'nat']))
    const ports = [...stdout.matchAll(/--to-(?:ports |destination \S+:)(\d+)/g)].map(match => Number(match[1]))
    expect(ports.length).toBeGreaterThan(0)
    expect(ports.filter(port => port < 20_000 || port > 20_999)).toEqual([])
  })

  test('verify and explain look at the rules, and ask the agent where only it knows more', async () => {
    const verb = (...argv: readonly string[]) =>
      lab.node.kernel.run(
        anyCommand([process.execPath, MAIN, ...argv, ...FLAGS.slice(0, 2), '--hostname-override=here'], {
          input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: OBJECTS }),
          env: COMPILED,
        }),
      )
    const verified = await verb('verify', '-f', '-')
    expect([verified.stdout, verified.code]).toEqual(['This node holds exactly what it should.\n', 0])
    for (const live of [[], ['--live']]) {
      const { stdout, code } = await verb('explain', ...live, '10.244.1.9', '10.96.0.10:80')
      expect(stdout.match(/⇒ arrives at \S+:8080, with the node's address as its source/g)).toHaveLength(3)
      expect(code).toBe(0)
    }
    expect((await verb('explain', '10.244.1.9', '10.96.0.99:80')).stdout).toContain('⇒ is refused')
  })

  test('what is read back is what was written, word for word', async () => {
    const before = programs.log.length
    process.kill(programs.agentPid, 'SIGHUP')
    const looks = (): readonly string[] => programs.log.slice(before).match(/"Sync complete".*looked=true.*/g) ?? []
    await until(() => looks().length >= 2)
    for (const look of looks()) expect(look).toMatch(/added=0 changed=0 removed=0/)
  })

  test('rules that another program flushed are written again at once', async () => {
    const before = programs.log.length
    expect(programs.log).not.toContain('Another program had changed our rules')
    await lab.node.kernel.run(anyCommand(['iptables', '-t', 'nat', '-F']))
    await until(() => programs.log.slice(before).includes('Another program had changed our rules'))
    await until(() => reaches('10.96.0.10', 80))
  })

  describe('policies', () => {
    const VIP = '10.96.0.20'
    const external = { externalIPs: ['198.18.0.7'], externalTrafficPolicy: 'Local' }

    /** In time: the rules that lead to the listeners are written after the listeners know. */
    async function become(more: object, addresses: readonly string[]): Promise<void> {
      programs.put(...slices('policy', 8080, addresses))
      programs.put(service('policy', [VIP], [{ port: 80, nodePort: 30020 }], more))
      const number = addresses.length
      await until(async () => {
        const names = Object.keys(tally(await client.connectMany(number, { to: VIP, port: 80, timeoutMs: 1000 })))
        return names.length === number && names.every(name => name.startsWith('web'))
      })
    }

    test('external policy Local keeps clients from outside on this node, and sends pods and the node everywhere', async () => {
      await become(external, ['10.244.1.3', '10.244.2.5'])
      const here = { 'web-1': 4 }
      expect(tally(await lab.outside.connectMany(4, { to: '198.18.0.7', port: 80 }))).toEqual(here)
      expect(tally(await lab.outside.connectMany(4, { to: '10.99.0.2', port: 30020 }))).toEqual(here)
      const everywhere = { 'web-1': 2, 'web-far': 2 }
      expect(tally(await client.connectMany(4, { to: '198.18.0.7', port: 80 }))).toEqual(everywhere)
      expect(tally(await lab.node.connectMany(4, { to: '10.99.0.2', port: 30020 }))).toEqual(everywhere)
    })

    test('external policy Local drops clients from outside where no endpoint is on this node', async () => {
      await become(external, ['10.244.2.5'])
      const dials = [
        { to: '198.18.0.7', port: 80, timeoutMs: 500 },
        { to: '10.99.0.2', port: 30020, timeoutMs: 500 },
      ]
      for (const dial of dials) {
        await until(async () => !(await lab.outside.connect(dial)).ok)
        expect(await lab.outside.connect(dial)).toMatchObject({ error: 'timeout' })
      }
      expect(tally(await client.connectMany(2, { to: '10.99.0.2', port: 30020 }))).toEqual({ 'web-far': 2 })
    })

    test('source ranges keep other clients from load balancer addresses, and from no other frontend', async () => {
      const more = { type: 'LoadBalancer', loadBalancerSourceRanges: ['203.0.113.0/24'] }
      const balancer = service('policy', [VIP], [{ port: 80, nodePort: 30020 }], more)
      programs.put({ ...balancer, status: { loadBalancer: { ingress: [{ ip: '198.18.0.8' }] } } })
      await until(async () => (await lab.outside.connect({ to: '10.99.0.2', port: 30020, timeoutMs: 500 })).ok)
      for (const host of [lab.outside, client, lab.node]) {
        expect(await host.connect({ to: '198.18.0.8', port: 80, timeoutMs: 500 })).toMatchObject({ ok: false })
      }
    })

    test('sticky clients stay with their endpoint, whichever frontend they connect to and whichever other clients come', async () => {
      const sticky = { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 100 } } }
      const ports = [{ port: 80, nodePort: 30021 }]
      programs.put(...slices('sticky', 8080, ['10.244.1.3']), service('sticky', ['10.96.0.21'], ports, sticky))
      await until(() => reaches('10.96.0.21', 80))
      const before = programs.log.length
      programs.put(...slices('sticky', 8080, ['10.244.1.3', '10.244.1.4', '10.244.2.5']))
      await until(() => /"Sync complete".*"IPv4".*changed=1/.test(programs.log.slice(before)))
      expect(tally(await client.connectMany(12, { to: '10.96.0.21', port: 80 }))).toEqual({ 'web-1': 12 })
      expect(tally(await client.connectMany(6, { to: '10.99.0.2', port: 30021 }))).toEqual({ 'web-1': 6 })
      expect(Object.keys(tally(await lab.outside.connectMany(6, { to: '10.99.0.2', port: 30021 })))).toHaveLength(1)
    })
  })

  describe('connections', () => {
    const DIGESTS = { to: '10.96.0.31', port: 80 }
    const LINES = { to: '10.96.0.32', port: 80 }
    const BOTH = ['10.244.1.3', '10.244.1.4']

    beforeAll(async () => {
      const before = programs.log.length
      programs.put(...slices('digests', 9001, BOTH), service('digests', [DIGESTS.to], [{ port: 80 }]))
      programs.put(...slices('lines', 9002, BOTH), service('lines', [LINES.to], [{ port: 80 }]))
      programs.put(...slices('datagrams', 9003, BOTH, 'UDP'))
      programs.put(service('datagrams', ['10.96.0.33'], [{ port: 80, protocol: 'UDP' }]))
      const named = (name: string): boolean => programs.log.slice(before).includes(`"shop/${name}"`)
      await until(() => ['digests', 'lines', 'datagrams'].every(named))
    })

    test('a client that has said all it has to say still hears the answer, byte for byte', async () => {
      const task = { do: 'upload', ...DIGESTS, bytes: 64 * 1024 * 1024 } as const
      const { sent, arrived } = await once<{ sent: Digest; arrived: Digest }>(client, task)
      expect(arrived).toEqual(sent)
    })

    test('a reset is passed on as a reset', async () => {
      expect(await once<string>(client, { do: 'be reset', ...LINES })).toBe('ECONNRESET')
    })

    test('datagrams of every size arrive whole', async () => {
      const sizes = [0, 1, 1472, 4096, 4097, 9000, 65_000, 65_507]
      const came = await once(client, { do: 'send datagrams', to: '10.96.0.33', port: 80, sizes })
      expect(came).toEqual(sizes)
    })

    test('an endpoint that does not answer costs its own clients a quarter of a second, and others nothing', async () => {
      // Behind this address is the node's own bridge, with no host that has it.
      programs.put(...slices('lines', 9002, ['10.244.1.99', ...BOTH]))
      await until(() => connectsSlowly(LINES))
      const times = await once<readonly { ms: number; failure?: string }[]>(client, {
        do: 'connect together',
        ...LINES,
        times: 12,
      })
      expect(times.filter(({ failure }) => failure !== undefined)).toEqual([])
      // The kernel would try that endpoint for minutes, and the client wait twenty seconds.
      expect(Math.max(...times.map(({ ms }) => ms))).toBeLessThan(10_000)
      programs.put(...slices('lines', 9002, BOTH))
    })

    test('a client that keeps connecting never sees a failure while endpoints come and go', async () => {
      const connecting = traffic(client, { do: 'keep connecting', ...LINES, abreast: 4 })
      await connecting.next()
      const silent = '10.244.1.99'
      const refusing = '10.244.1.9'
      for (const addresses of [
        ['10.244.1.3'],
        ['10.244.1.4'],
        [silent, '10.244.1.3'],
        [refusing, '10.244.1.4'],
        BOTH,
      ]) {
        programs.put(...slices('lines', 9002, addresses))
        await systemClock.sleep(400)
      }
      connecting.writeLine('stop')
      const { answered, failures } = await connecting.next<Answered>()
      await connecting.stop()
      expect(failures).toEqual([])
      expect(answered).toBeGreaterThan(20)
    })

    test('a UDP client that keeps its port misses no answer while endpoints come and go', async () => {
      const asking = traffic(client, { do: 'keep asking', to: '10.96.0.33', port: 80 })
      await asking.next()
      for (let i = 0; i < 10; i++) {
        const before = programs.log.length
        programs.put(...slices('datagrams', 9003, i % 2 === 0 ? ['10.244.1.3'] : BOTH, 'UDP'))
        await until(() => programs.log.slice(before).includes('changed=1'))
      }
      asking.writeLine('stop')
      const { answered, failures } = await asking.next<Answered>()
      await asking.stop()
      expect(failures).toEqual([])
      expect(answered).toBeGreaterThan(20)
    })

    test('an open connection outlives its endpoint, and its Service', async () => {
      programs.put(...slices('web', 8080, ['10.244.1.3', 'fd00:244:1::3']))
      await until(async () => tally(await client.connectMany(3, { to: '10.96.0.10', port: 80 }))['web-1'] === 3)
      const opened = await client.open({ to: '10.96.0.10', port: 80 })
      if (!opened.ok) throw new Error(opened.error)
      programs.put(...slices('web', 8080, ['10.244.1.4', 'fd00:244:1::4']))
      await until(async () => tally(await client.connectMany(3, { to: '10.96.0.10', port: 80 }))['web-2'] === 3)
      expect(await opened.stream.send('still there?')).toMatchObject({ ok: true, answer: { name: 'web-1' } })
      programs.remove('Service', 'shop', 'web')
      await until(async () => !(await reaches('10.96.0.10', 80)))
      expect(await opened.stream.send('and now?')).toMatchObject({ ok: true, answer: { name: 'web-1' } })
      await opened.stream.close()
    })

    test('5,000 connections wait at once, and nothing is left of them', { timeout: 120_000 }, async () => {
      const before = descriptorsOf(programs.agentPid)
      const holding = traffic(client, { do: 'hold', ...LINES, times: 5000 })
      expect(await holding.next<number>()).toBe(5000)
      expect(descriptorsOf(programs.agentPid) - before).toBeGreaterThan(9900)
      holding.writeLine('how many?')
      expect(await holding.next<number>()).toBe(5000)
      await holding.stop()
      await until(() => descriptorsOf(programs.agentPid) <= before + 20)
    })
  })

  test('a UDP client is not led to a port that is another listener’s by now', async () => {
    const opened = await client.open({ protocol: 'udp', to: '10.96.0.53', port: 53 })
    if (!opened.ok) throw new Error(opened.error)
    expect(await opened.stream.send('here?')).toMatchObject({ ok: true })
    programs.remove('Service', 'shop', 'dns')
    const flows = async (): Promise<string> =>
      (await lab.node.kernel.run(anyCommand(['conntrack', '-L', '-p', 'udp', '--orig-dst', '10.96.0.53']))).stdout
    await until(async () => !(await flows()).includes('10.96.0.53'))
    await opened.stream.close()
  })

  test('after a restart listeners have their ports back: rules stay, and so does the way of a UDP client', async () => {
    const vip = { to: '10.96.0.20', port: 80 }
    const dns = { to: '10.96.0.33', port: 80, sourcePort: 40_053 }
    const rules = async (): Promise<string> =>
      (await lab.node.kernel.run(anyCommand(['iptables-save', '-t', 'nat']))).stdout.replaceAll(
        /^#.*\n|\[\d+:\d+\]/gm,
        '',
      )
    const ask = () => once<readonly number[]>(client, { do: 'send datagrams', ...dns, sizes: [10, 20, 30] })
    expect(await ask()).toEqual([10, 20, 30])
    const before = await rules()
    expect(await programs.stopAgent()).toBe(0)
    expect(await client.connect(vip)).toMatchObject({ ok: false, error: 'refused' })
    expect(await rules()).toBe(before)
    programs.startAgent()
    await until(() => reaches(vip.to, vip.port))
    expect(await rules()).toBe(before)
    expect(await ask()).toEqual([10, 20, 30])
  })

  test('with --bind-address the relay listens there and nowhere else, and is reached from everywhere', async () => {
    const vip = { to: '10.96.0.20', port: 80 }
    await programs.stopAgent()
    programs.startAgent('--bind-address=10.99.0.2')
    await until(() => reaches(vip.to, vip.port))
    const frontends: readonly (readonly [Host, string, number])[] = [
      [client, vip.to, 80],
      [lab.node, vip.to, 80],
      [client, '10.99.0.2', 30020],
      [lab.node, '10.99.0.2', 30020],
      [lab.outside, '10.99.0.2', 30020],
      [lab.outside, '10.99.0.22', 30020],
    ]
    for (const [host, to, port] of frontends) {
      expect((await host.connect({ to, port })).ok, `${host.name} to ${to}:${port}`).toBe(true)
    }
    const listening = (await lab.node.kernel.run(anyCommand(['cat', '/proc/net/tcp']))).stdout
    const ours = [...listening.matchAll(/: ([0-9A-F]{8}):([0-9A-F]{4}) \S+ 0A /g)]
      .filter(match => Number.parseInt(match[2]!, 16) >= 20_000 && Number.parseInt(match[2]!, 16) <= 20_999)
      .map(match => match[1])
    expect(new Set(ours)).toEqual(new Set(['0200630A']))
  })

  async function reaches(to: string, port: number): Promise<boolean> {
    return (await client.connect({ to, port, timeoutMs: 1000 })).ok
  }

  /** Whether a client of the last few had to wait for an endpoint that does not answer. */
  async function connectsSlowly(where: { readonly to: string; readonly port: number }): Promise<boolean> {
    const times = await once<readonly { ms: number }[]>(client, { do: 'connect together', ...where, times: 3 })
    return times.some(({ ms }) => ms >= 240)
  }
})

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
