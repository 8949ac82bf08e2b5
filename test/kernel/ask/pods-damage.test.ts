import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { PodsWorld } from './pods-world.ts'

// The pod network of a node, damaged by hand in every way that another program might: verify names each and nothing else, and a
// repair mends it.

const why = cannotRun('iptables', 'nsenter', 'unshare')

const BLUE = 'pod default/blue'

/** The name of the interface's other end, by a shell. */
const PORT = `$(ip -o link show master cni0 | sed -n '1s/^[0-9]*: \\([^@:]*\\).*/\\1/p')`
interface Damage {
  readonly by: string
  /** Kind and unit of each, in order. */
  readonly found: readonly (readonly [kind: string, unit: string | RegExp])[]
  readonly means?: RegExp
}

const GATEWAY = `route 0.0.0.0/0 via 10.244.1.1 of ${BLUE}`
const RULES = [
  ['missing', `masquerade of ${BLUE}`],
  ['missing', 'masquerade of pod default/green'],
  ['missing', `host ports of ${BLUE}`],
  ['missing', 'host ports of pod default/green'],
] as const
const HOST_PORTS = RULES.slice(2)
/** The chain of blue's masquerade, by a shell. */
const CHAIN = `$(iptables-save -t nat | sed -n 's/^-A POSTROUTING -s 10.244.1.2.* -j \\(CNI-.*\\)/\\1/p')`
const MAPPINGS = `$(iptables-save -t nat | sed -n 's/^-A CNI-HOSTPORT-DNAT .*8080.* -j \\(CNI-DN-.*\\)/\\1/p' | head -1)`

const DAMAGES: readonly Damage[] = [
  {
    by: 'ip route delete 10.244.2.0/24',
    found: [['missing', 'route 10.244.2.0/24']],
    means: /^pods of this node do not reach those of node two in 10\.244\.2\.0\/24$/,
  },
  {
    by: 'ip route replace 10.244.2.0/24 via 192.0.2.77 proto 115',
    found: [['different', 'route 10.244.2.0/24']],
    means: /^packets to pods of node two in 10\.244\.2\.0\/24 go to 192\.0\.2\.77$/,
  },
  {
    by: 'ip route replace 10.244.3.0/24 via 192.0.2.3 dev eth1 onlink proto 115',
    found: [['different', 'route 10.244.3.0/24']],
  },
  {
    by: 'ip route add 10.244.9.0/24 via 192.0.2.9 proto 115',
    found: [['extra', 'route 10.244.9.0/24']],
    means: /which is of no other node now, go to 192\.0\.2\.9$/,
  },
  { by: 'ip -6 route delete fd00:244:2::/64', found: [['missing', 'route fd00:244:2::/64']] },
  {
    by: 'ip route flush proto 115 && ip -6 route flush proto 115',
    found: [
      ['missing', 'route 10.244.3.0/24'],
      ['missing', 'route 10.244.2.0/24'],
      ['missing', 'route fd00:244:2::/64'],
    ],
  },
  {
    by: 'ip -n blue route delete default',
    found: [['missing', GATEWAY]],
    means: /^pod default\/blue does not reach anything outside of its own network$/,
  },
  { by: 'ip -n blue route replace default via 10.244.1.9', found: [['missing', GATEWAY]] },
  // With an address the kernel takes away what leads over its network, and with a link its routes.
  {
    by: 'ip -n blue address flush dev eth0 scope global',
    found: [
      ['missing', `address 10.244.1.2/24 of ${BLUE}`],
      ['missing', GATEWAY],
    ],
    means: /^connections to 10\.244\.1\.2 get no answer/,
  },
  {
    by: 'ip -n blue link set eth0 down',
    found: [
      ['different', `interface eth0 of ${BLUE}`],
      ['missing', GATEWAY],
    ],
  },
  {
    by: `ip link set ${PORT} nomaster`,
    found: [['different', /^port veth\w+ of pod default\/blue$/]],
    means: /^pod default\/blue reaches nothing, and nothing reaches it$/,
  },
  { by: `ip link set ${PORT} master other0`, found: [['different', /^port veth\w+ of pod default\/blue$/]] },
  { by: `ip link set ${PORT} down`, found: [['different', /^port veth\w+ of pod default\/blue$/]] },
  {
    by: 'ip address delete 10.244.1.1/24 dev cni0',
    found: [['missing', 'address 10.244.1.1/24 of bridge cni0']],
    means: /^the 2 pods of this bridge have no gateway/,
  },
  {
    by: 'ip link set cni0 down',
    found: [['different', 'bridge cni0']],
    means: /^the 2 pods of this bridge reach nothing$/,
  },
  { by: 'echo 0 > /proc/sys/net/ipv4/ip_forward', found: [['different', 'setting net.ipv4.ip_forward']] },
  {
    by: 'iptables -t nat -D POSTROUTING $(iptables -t nat -L POSTROUTING -n --line-numbers | sed -n "s/^\\([0-9]*\\) .*10\\.244\\.1\\.2 .*/\\1/p")',
    found: [['missing', `masquerade of ${BLUE}`]],
    means: /own address/,
  },
  { by: `iptables -t nat -F ${CHAIN}`, found: [['missing', `masquerade of ${BLUE}`]] },
  {
    by: `iptables -t nat -F ${MAPPINGS}`,
    found: [['missing', `host ports of ${BLUE}`]],
    means: /host ports on this node are refused/,
  },
  { by: 'iptables -t nat -F CNI-HOSTPORT-DNAT', found: HOST_PORTS },
  { by: 'iptables -t nat -F PREROUTING', found: HOST_PORTS },
  { by: 'iptables -t nat -F', found: RULES },
]

describe.skipIf(why !== undefined)(`a damaged pod network${why ? ` (skipped: ${why})` : ''}`, () => {
  let world: PodsWorld
  beforeAll(async () => {
    world = await PodsWorld.open()
    for (const [i, container] of ['blue', 'green'].entries()) {
      world.run(`ip netns add ${container}`)
      await world.ask({ do: 'attach', container, hostPort: 8080 + i })
    }
  }, 60_000)
  afterAll(() => world?.close())

  test('is whole at first', async () => {
    expect(await world.verify()).toEqual({ differences: [], failures: [] })
  })

  test.each(DAMAGES)('$by', async ({ by, found, means = /./ }) => {
    world.run(by)
    const { differences, failures } = await world.verify()
    const refused = await world.ask({ do: 'mend' })
    const seen = differences.map(({ kind, unit }) => [kind, unit])
    expect(seen).toEqual(
      found.map(([kind, unit]) => [kind, typeof unit === 'string' ? unit : expect.stringMatching(unit)]),
    )
    expect(differences[0]!.means).toMatch(means)
    expect([failures, refused]).toEqual([[], []])
    expect(await world.verify()).toEqual({ differences: [], failures: [] })
  })

  test('a pod that is gone without a DEL has a lease too many, which goes where three rounds agree', async () => {
    world.run('ip netns delete green')
    await expect
      .poll(() => world.run('ip -o link show master cni0').trim().split('\n').length, { timeout: 20_000 })
      .toBe(1)
    world.minutes(2)
    // The runtime has forgotten it.
    world.run('rm /var/lib/cni/results/mynet-green-eth0')
    const { differences } = await world.verify()
    expect(differences.map(({ kind, unit, owners }) => [kind, unit, owners])).toEqual([
      ['extra', 'lease 10.244.1.3', ['pod default/green']],
    ])
    for (let round = 1; round <= 3; round++) {
      await world.ask({ do: 'mend' })
      world.minutes(1)
    }
    expect(await world.verify()).toEqual({ differences: [], failures: [] })
  })
})
