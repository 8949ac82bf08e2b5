import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { ipLines } from '#lab/network/namespaces.ts'
import { letAllRefusalsArrive } from '#lab/network/refusals.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { endpoint, port, service, slice, slicePort } from '../support/objects.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'
import type { Attempt, SteadyClientOptions } from './steady-client-program.ts'
import { type Program, program, traffic } from './traffic.ts'

// Clients that open a connection every 3 ms while a Service and its endpoints change: none is refused that should not
// be, and none is left without an answer, not even for the moment between two rules.

const STEADY_CLIENT = fileURLToPath(new URL('./steady-client-program.ts', import.meta.url))
const HERE = { nodeName: 'here' }
const VIP = '10.96.0.10'
const NODE = '10.99.0.2'
/** A kernel sends a SYN that was lost again after 1 s, and not a moment sooner than this. */
const LOST_MS = 980
/** How long the clients go on after each change. */
const QUIET_MS = 250

const MODES = [
  { mode: 'iptables', programs: ['ip', 'iptables', 'ip6tables', 'conntrack'] },
  { mode: 'nftables', programs: ['ip', 'nft', 'conntrack'] },
  { mode: 'userspace', programs: ['ip', 'iptables', 'ip6tables', 'conntrack'] },
] as const

const pods = (...addresses: readonly string[]): ClusterObject =>
  slice(
    'shop/web-4',
    'shop/web',
    addresses.map(address => endpoint(address, address.startsWith('10.244.1.') ? HERE : {})),
    { ports: [slicePort(8080, 'http')] },
  )
const CLUSTER_IP = service('shop/web', [VIP], { ports: [port({ name: 'http', port: 80 })] })
const nodePort = (more: Parameters<typeof service>[2] = {}) =>
  service('shop/web', [VIP], { type: 'NodePort', ports: [port({ name: 'http', port: 80, nodePort: 30080 })], ...more })

describe.each(MODES)('$mode', ({ mode, programs }) => {
  let why: string | undefined
  let rig: Rig
  let inside: Host
  const servers: Program[] = []

  beforeAll(async () => {
    why = await whyNot(programs)
    if (why !== undefined) return
    const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
    rig = await Rig.open({
      pods: [pod('web-1', 3), pod('web-2', 4), pod('client', 9)],
      flags: [`--proxy-mode=${mode}`, '--nodeport-addresses=10.99.0.0/24'],
    })
    const { pods: hosts, remote, outside } = rig.lab
    inside = hosts[2]!
    await remote.addAddress('10.244.2.5')
    await letAllRefusalsArrive(rig.lab.node.kernel)
    // What leaves the node by its default route is not answered, not even by an error.
    await must(outside.kernel, ipLines([`route replace blackhole 10.96.0.0/12`]))
    for (const host of [hosts[0]!, hosts[1]!, remote]) {
      const server = traffic(host, { do: 'serve lines', port: 8080 })
      servers.push(server)
      await server.next()
    }
  }, 60_000)
  afterAll(async () => {
    for (const server of servers) await server.stop()
    await rig?.close()
  })

  /** How the connections of a client end while the changes are made, one after the other. */
  async function during(
    clients: readonly { readonly host: Host; readonly to: string; readonly port: number }[],
    changes: readonly (() => Promise<void>)[],
  ): Promise<readonly (readonly Attempt[])[]> {
    const before = await Promise.all(clients.map(({ host }) => repeated(host)))
    const running = clients.map(({ host, ...to }) => {
      const options: SteadyClientOptions = { ...to, everyMs: 3, patienceMs: 2500 }
      return program(host, [STEADY_CLIENT, JSON.stringify(options)])
    })
    try {
      for (const client of running) await client.next()
      await systemClock.sleep(QUIET_MS)
      for (const change of changes) {
        await change()
        await systemClock.sleep(QUIET_MS)
      }
      for (const client of running) client.writeLine('stop')
      const found = await Promise.all(running.map(client => client.next<readonly Attempt[]>()))
      const after = await Promise.all(clients.map(({ host }) => repeated(host)))
      // Where no SYN was sent again, none was lost: what took long was slow, as the machine is.
      return found.map((attempts, i) =>
        after[i] === before[i] ? attempts.map(attempt => ({ ...attempt, ms: 0 })) : attempts,
      )
    } finally {
      for (const client of running) await client.stop()
    }
  }

  /** How often a client's kernel has had to send its first packet again. */
  async function repeated({ kernel }: Host): Promise<number> {
    const { stdout } = await must(kernel, anyCommand(['cat', '/proc/net/netstat']))
    const [names, values] = stdout.split('\n').filter(line => line.startsWith('TcpExt:'))
    return Number(values!.split(' ')[names!.split(' ').indexOf('TCPSynRetrans')])
  }

  const put = (object: ClusterObject) => () => rig.put(object)

  test('an endpoint that comes or goes costs no client its connection', async context => {
    if (why !== undefined) context.skip(why)
    await rig.put(nodePort(), pods())
    const found = await during(
      [
        { host: inside, to: VIP, port: 80 },
        { host: rig.lab.outside, to: NODE, port: 30080 },
      ],
      [
        put(pods('10.244.1.3')),
        put(pods('10.244.1.3', '10.244.1.4')),
        put(pods('10.244.1.4')),
        put(pods()),
        put(pods('10.244.2.5')),
        put(pods('10.244.1.3')),
        put(pods()),
      ],
    )
    for (const attempts of found) {
      expect(runs(attempts)).toEqual(['ECONNREFUSED', 'answered', 'ECONNREFUSED', 'answered', 'ECONNREFUSED'])
    }
  }, 60_000)

  test('one Service loses its last endpoint while another has its first', async context => {
    if (why !== undefined) context.skip(why)
    const other = service('shop/other', ['10.96.0.11'], { ports: [port({ name: 'http', port: 80 })] })
    const others = (...addresses: readonly string[]): ClusterObject =>
      slice(
        'shop/other-4',
        'shop/other',
        addresses.map(address => endpoint(address, HERE)),
        {
          ports: [slicePort(8080, 'http')],
        },
      )
    await rig.put(nodePort(), pods(), other, others('10.244.1.3'))
    const swaps = [
      () => rig.put(pods('10.244.1.4'), others()),
      () => rig.put(pods(), others('10.244.1.3')),
      () => rig.put(pods('10.244.1.4'), others()),
    ]
    const [came, went] = await during(
      [
        { host: inside, to: VIP, port: 80 },
        { host: inside, to: '10.96.0.11', port: 80 },
      ],
      swaps,
    )
    expect(runs(came!)).toEqual(['ECONNREFUSED', 'answered', 'ECONNREFUSED', 'answered'])
    expect(runs(went!)).toEqual(['answered', 'ECONNREFUSED', 'answered', 'ECONNREFUSED'])
    await rig.remove(other)
    await rig.remove(others())
  }, 60_000)

  test('a Service that changes its type or a policy answers all the time', async context => {
    if (why !== undefined) context.skip(why)
    await rig.put(CLUSTER_IP, pods('10.244.1.3', '10.244.2.5'))
    const [fromPod, fromOutside] = await during(
      [
        { host: inside, to: VIP, port: 80 },
        { host: rig.lab.outside, to: NODE, port: 30080 },
      ],
      [
        put(nodePort()),
        put(nodePort({ externalPolicy: 'Local' })),
        put(nodePort({ externalPolicy: 'Local', internalPolicy: 'Local' })),
        put(nodePort()),
        put(CLUSTER_IP),
      ],
    )
    expect(runs(fromPod!)).toEqual(['answered'])
    expect(runs(fromOutside!)).toEqual(['ECONNREFUSED', 'answered', 'ECONNREFUSED'])
  }, 60_000)

  test('a client that a policy drops is answered when the policy is another, and never refused', async context => {
    if (why !== undefined) context.skip(why)
    await rig.put(nodePort(), pods('10.244.2.5'))
    const [attempts] = await during(
      [{ host: rig.lab.outside, to: NODE, port: 30080 }],
      [put(nodePort({ externalPolicy: 'Local' })), put(nodePort())],
    )
    expect(runs(attempts!)).toEqual(['answered', 'answered after a lost SYN', 'answered'])
  }, 60_000)

  test('a Service that comes and goes answers from its first answer on', async context => {
    if (why !== undefined) context.skip(why)
    await rig.put(CLUSTER_IP, pods('10.244.1.3'))
    await rig.remove(CLUSTER_IP)
    const [attempts] = await during(
      [{ host: inside, to: VIP, port: 80 }],
      [put(CLUSTER_IP), () => rig.remove(CLUSTER_IP), put(CLUSTER_IP)],
    )
    const atOnce = attempts!.map(attempt => ({ ...attempt, ms: 0, end: attempt.ms > LOST_MS ? 'late' : attempt.end }))
    expect(runs(atOnce)).toEqual(['late', 'answered', 'late', 'answered'])
    // A client whose first SYN left by the default route is answered when it sends the next, a second later.
    expect(runs(attempts!.map(attempt => ({ ...attempt, ms: 0 })))).toEqual(['answered'])
  }, 60_000)

  test('a client that uses its port again is answered, although its first SYN went past the Service', async context => {
    if (why !== undefined) context.skip(why)
    const again = (timeoutMs: number) => inside.open({ to: VIP, port: 80, sourcePort: 40_080, timeoutMs })
    await rig.put(pods('10.244.1.3'))
    await rig.remove(CLUSTER_IP)
    expect(await again(300)).toMatchObject({ ok: false, error: 'timeout' })
    await rig.put(CLUSTER_IP)
    const opened = await again(LOST_MS)
    expect(opened).toMatchObject({ ok: true })
    if (opened.ok) await opened.stream.close()
  })
})

/** How the connections ended, in the order in which they were opened: each end once where it changes. */
function runs(attempts: readonly Attempt[]): readonly string[] {
  const ends = attempts.map(({ ms, end }) => (ms > LOST_MS ? `${end} after a lost SYN` : end))
  return ends.filter((end, i) => end !== ends[i - 1])
}
