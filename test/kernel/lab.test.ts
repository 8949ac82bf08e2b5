import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { tally } from '#lab/network/host.ts'
import { type Lab, type LabOptions, openLab } from '#lab/network/lab.ts'
import { inNamespace, labName, sweep } from '#lab/network/namespaces.ts'
import type { ConnectOutcome } from '#lab/network/pod/messages.ts'
import { openSeedLab } from '#lab/network/seed.ts'
import { BRIDGE, NODE, OUTSIDE } from '#lab/network/topology.ts'
import { ensurePrograms } from '#lab/packages.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// The lab proves itself: with rules written by hand, packets go where they would go on a real node, and fail as they would.

const kernel = hostKernel()
const obstacle = await whyNot(kernel)
if (obstacle !== undefined) console.warn(`test/kernel/lab.test.ts is skipped: ${obstacle}`)

const VIP = { ip4: '10.103.132.104', ip6: 'fd10:96::104' }
const REMOTE_POD = { ip4: '10.244.2.3', ip6: 'fd00:244:2::3' }
const PODS = [2, 3].map(n => ({ name: `pod-${n}`, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` }))

const families = [
  { family: 'IPv4', tool: 'iptables-restore', ip: 'ip4', reject: 'icmp-port-unreachable' },
  { family: 'IPv6', tool: 'ip6tables-restore', ip: 'ip6', reject: 'icmp6-port-unreachable' },
] as const
const protocols = ['tcp', 'udp'] as const
const cases = families.flatMap(each => protocols.map(protocol => ({ ...each, protocol })))

for (const podNetwork of ['bridged', 'routed'] as const) {
  describe.skipIf(obstacle !== undefined)(`a lab with a ${podNetwork} pod network`, () => {
    let lab: Lab

    beforeAll(async () => {
      lab = await openLab(kernel, { pods: PODS, podNetwork })
      await lab.remote.addAddress(REMOTE_POD.ip4)
      await lab.remote.addAddress(REMOTE_POD.ip6)
      const remotePod = { name: 'remote-pod', addresses: [REMOTE_POD.ip4, REMOTE_POD.ip6] }
      await Promise.all(
        protocols.flatMap(protocol => [
          ...lab.pods.map(pod => pod.listen(protocol, 80)),
          lab.remote.listen(protocol, 80, remotePod),
        ]),
      )
    })
    afterAll(() => lab?.close())
    beforeEach(async () => {
      const { kernel } = lab.node
      await Promise.all(families.map(({ tool }) => must(kernel, anyCommand([tool], { input: document([], []) }))))
      await must(kernel, anyCommand(['conntrack', '--flush']))
    })

    describe.each(cases)('$family $protocol', ({ tool, ip, reject, protocol }) => {
      const [client, server] = PODS as [LabPod, LabPod]
      const pod = (name: string) => lab.pods.find(it => it.name === name)!
      const program = (nat: readonly string[], filter: readonly string[] = []) =>
        must(lab.node.kernel, anyCommand([tool], { input: document(nat, filter) }))
      const to = (address: string, target: string) =>
        ['PREROUTING', 'OUTPUT'].map(
          chain => `-A ${chain} -d ${address} -p ${protocol} --dport 3306 -j DNAT --to-destination ${at(target, 80)}`,
        )
      const dial = { protocol, port: 3306, timeoutMs: 10_000 }
      /** For what is not answered. */
      const soon = { ...dial, timeoutMs: 300 }

      test('a pod reaches another pod of its node through a service address, and is seen as itself', async () => {
        await program(to(VIP[ip], server[ip]))
        expect(await pod(client.name).connect({ ...dial, to: VIP[ip] })).toMatchObject(
          answered({ name: server.name, peer: client[ip] }),
        )
      })

      test('a pod reaches itself through a service only where it is masqueraded', async () => {
        await program(to(VIP[ip], client[ip]))
        expect(await pod(client.name).connect({ ...soon, to: VIP[ip] })).toMatchObject(failed('timeout'))
        await program([...to(VIP[ip], client[ip]), `-A POSTROUTING -s ${client[ip]} -d ${client[ip]} -j MASQUERADE`])
        expect(await pod(client.name).connect({ ...dial, to: VIP[ip] })).toMatchObject(
          answered({ name: client.name, peer: BRIDGE[ip] }),
        )
      })

      test('outside reaches a pod of another node through this one only where it is masqueraded', async () => {
        await program(to(NODE[ip], REMOTE_POD[ip]))
        expect(await lab.outside.connect({ ...soon, to: NODE[ip] })).toMatchObject(failed('timeout'))
        await program([...to(NODE[ip], REMOTE_POD[ip]), `-A POSTROUTING -d ${REMOTE_POD[ip]} -j MASQUERADE`])
        expect(await lab.outside.connect({ ...dial, to: NODE[ip] })).toMatchObject(
          answered({ name: 'remote-pod', peer: NODE[ip] }),
        )
      })

      test('outside reaches a pod of this node through both of its addresses, and is seen as itself', async () => {
        for (const address of [NODE[ip], NODE.second[ip], VIP[ip]]) {
          await program(to(address, server[ip]))
          expect(await lab.outside.connect({ ...dial, to: address })).toMatchObject(
            answered({ name: server.name, peer: OUTSIDE[ip] }),
          )
        }
      })

      test('outside has no way to a pod that leaves the node out', async () => {
        expect(await lab.outside.connect({ ...dial, to: server[ip], port: 80 })).toMatchObject(failed('unreachable'))
      })

      test('the node reaches a pod through a service address', async () => {
        await program(to(VIP[ip], server[ip]))
        expect(await lab.node.connect({ ...dial, to: VIP[ip] })).toMatchObject(answered({ name: server.name }))
      })

      // IPv6 TCP hears of it with its second SYN: the first answer comes while connect() still holds the socket.
      test('what is rejected is refused, wherever it comes from', async () => {
        const rejecting = ['FORWARD', 'OUTPUT'].map(
          chain => `-A ${chain} -d ${VIP[ip]} -p ${protocol} -j REJECT --reject-with ${reject}`,
        )
        await program([], rejecting)
        const hosts = [pod(client.name), lab.node, lab.outside]
        const outcomes = await Promise.all(hosts.map(host => host.connect({ ...dial, to: VIP[ip] })))
        expect(outcomes).toMatchObject([failed('refused'), failed('refused'), failed('refused')])
      })

      test('what is dropped on its way is a timeout, after the time that was given', async () => {
        await program([], [`-A FORWARD -d ${VIP[ip]} -p ${protocol} -j DROP`])
        const outcome = await lab.outside.connect({ ...dial, to: VIP[ip], timeoutMs: 250 })
        expect(outcome).toMatchObject(failed('timeout'))
        expect(outcome.elapsedMs).toBeGreaterThanOrEqual(245)
      })

      test('a balanced service answers with all of its pods', async () => {
        const [, other] = to(VIP[ip], REMOTE_POD[ip])
        const [half] = to(VIP[ip], REMOTE_POD[ip]).map(it =>
          it.replace(' -j ', ' -m statistic --mode nth --every 2 --packet 0 -j '),
        )
        await program([half!, ...to(VIP[ip], server[ip]), other!])
        const outcomes = await pod(client.name).connectMany(20, { ...dial, to: VIP[ip] })
        expect(tally(outcomes)).toEqual({ [server.name]: 10, 'remote-pod': 10 })
      })

      test('a connection that is open stays with its pod when the rules change', async () => {
        await program(to(VIP[ip], server[ip]))
        const opened = await pod(client.name).open({ ...dial, to: VIP[ip] })
        if (!opened.ok) throw new Error(`could not open: ${opened.error}`)
        expect(await opened.stream.send('before')).toMatchObject(answered({ name: server.name }))
        await program(to(VIP[ip], REMOTE_POD[ip]))
        expect(await opened.stream.send('after')).toMatchObject({
          ok: true,
          answer: { name: server.name, text: 'after' },
        })
        await opened.stream.close()
        expect(await pod(client.name).connect({ ...dial, to: VIP[ip] })).toMatchObject(answered({ name: 'remote-pod' }))
      })
    })
  })
}

describe.skipIf(obstacle !== undefined)('labs come and go', () => {
  const open = async (options: LabOptions = {}) => {
    const lab = await openLab(kernel, options)
    onTestFinished(() => lab.close())
    return lab
  }

  test('nothing of a lab is in the host, neither while it stands nor afterwards', async () => {
    const before = await hostNetwork()
    const lab = await open({ pods: PODS })
    await lab.pods[0]!.listen('tcp', 80)
    await expect.poll(hostNetwork).toEqual(before)
    await lab.close()
    await expect.poll(hostNetwork).toEqual(before)
    expect((await namespaces()).filter(name => name.startsWith(lab.name))).toEqual([])
  })

  test('closing ends the programs in it, and closing twice is closing once', async () => {
    const lab = await open({ pods: PODS })
    await lab.pods[0]!.listen('tcp', 80)
    const inside = await must(kernel, anyCommand(['ip', 'netns', 'pids', lab.pods[0]!.namespace]))
    expect(inside.stdout.trim()).toMatch(/^\d+$/)
    await Promise.all([lab.close(), lab.close()])
    expect((await kernel.run(anyCommand(['kill', '-0', inside.stdout.trim()]))).code).not.toBe(0)
  })

  test('a pod that is added later is a pod like the others', async () => {
    const lab = await open()
    const late = await lab.addPod({ name: 'late', ip4: '10.244.1.77', ip6: 'fd00:244:1::77' })
    await late.listen('tcp', 80)
    for (const to of [late.ip4, late.ip6]) {
      expect(await lab.node.connect({ to, port: 80 })).toMatchObject(answered({ name: 'late' }))
    }
    await late.addAddress('10.244.1.78')
    await late.listen('tcp', 80, { name: 'later', addresses: ['10.244.1.78'] })
    expect(await lab.node.connect({ to: '10.244.1.78', port: 80 })).toMatchObject(answered({ name: 'later' }))
  })

  test('outside can be given routes to more addresses', async () => {
    const lab = await open()
    await lab.outside.addRoute('203.0.113.7', NODE.ip4)
    await lab.node.addAddress('203.0.113.7')
    await lab.node.listen('tcp', 80, { addresses: ['203.0.113.7'] })
    expect(await lab.outside.connect({ to: '203.0.113.7', port: 80 })).toMatchObject(answered({ name: 'node' }))
  })

  test('a listener that is closed answers no client', async () => {
    const lab = await open()
    const listening = await lab.outside.listen('tcp', 80)
    expect(await lab.node.connect({ to: OUTSIDE.ip4, port: 80 })).toMatchObject(answered({ name: 'outside' }))
    await listening.close()
    expect(await lab.node.connect({ to: OUTSIDE.ip4, port: 80 })).toMatchObject(failed('refused'))
  })

  test('a lab that cannot be finished leaves nothing behind', async () => {
    const before = await namespaces()
    await expect(openLab(kernel, { pods: [PODS[0]!, PODS[0]!] })).rejects.toThrow('File exists')
    expect(await namespaces()).toEqual(before)
  })

  test('two labs at once do not see each other', async () => {
    const [one, two] = await Promise.all([open({ pods: PODS }), open({ pods: PODS })])
    await one.pods[0]!.listen('tcp', 80, { name: 'one' })
    expect(await one.node.connect({ to: PODS[0]!.ip4, port: 80 })).toMatchObject(answered({ name: 'one' }))
    expect(await two.node.connect({ to: PODS[0]!.ip4, port: 80 })).toMatchObject(failed('refused'))
  })

  test('sweeping removes what a dead process left and not what a living one uses', async () => {
    const lab = await open()
    const dead = `${labName(2 ** 22 + 1)}-node`
    let swept: readonly string[] = []
    // Another process of this machine may sweep at the same time, and then finds it first.
    for (let tries = 0; tries < 10 && !swept.includes(dead); tries++) {
      await must(kernel, anyCommand(['ip', 'netns', 'add', dead]))
      swept = await sweep(kernel)
    }
    expect(swept).toContain(dead)
    expect(await namespaces()).toContain(lab.node.namespace)
    const { stdout } = await must(kernel, anyCommand(['ip', 'netns', 'list']))
    expect(stdout).not.toContain(dead)
  })

  test('every endpoint of the example answers, from the node, in its lab', async () => {
    const lab = await openSeedLab(kernel)
    onTestFinished(() => lab.close())
    const endpoints = [
      { name: 'db', protocol: 'tcp', port: 3306, addresses: ['10.244.1.2'] },
      { name: 'web-1', protocol: 'tcp', port: 8080, addresses: ['10.244.1.3', 'fd00:244:1::3'] },
      { name: 'web-2', protocol: 'tcp', port: 8080, addresses: ['10.244.2.3', 'fd00:244:2::3'] },
      { name: 'dns-1', protocol: 'udp', port: 53, addresses: ['10.244.1.4'] },
      { name: 'kubernetes', protocol: 'tcp', port: 6443, addresses: ['10.99.0.1'] },
    ] as const
    for (const { name, protocol, port, addresses } of endpoints) {
      for (const to of addresses) {
        expect(await lab.node.connect({ protocol, to, port })).toMatchObject(answered({ name }))
      }
    }
  })
})

type LabPod = (typeof PODS)[number]

/** Everything of both tables: what it does not name is gone. */
function document(nat: readonly string[], filter: readonly string[]): string {
  return ['*nat', ...nat, 'COMMIT', '*filter', ...filter, 'COMMIT', ''].join('\n')
}

function at(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function answered({ name, peer }: { readonly name: string; readonly peer?: string }) {
  return { ok: true, answer: { name, ...(peer !== undefined && { peer: { address: peer } }) } }
}

function failed(error: (ConnectOutcome & { ok: false })['error']) {
  return { ok: false, error }
}

/** Those of labs: other programs on this machine may have namespaces of their own, and come and go. */
async function namespaces(): Promise<readonly string[]> {
  const { stdout } = await must(kernel, anyCommand(['ip', 'netns', 'list']))
  const names = stdout.split('\n').map(line => line.split(' ', 1)[0]!)
  return names.filter(name => name.startsWith(`sy-${process.pid}-`)).sort()
}

/** What the lab must not touch: interfaces, addresses, routes and forwarding of the namespace we run in. */
async function hostNetwork(): Promise<readonly string[]> {
  const shows = [
    ['ip', '-o', 'link'],
    ['ip', '-brief', 'addr'],
    ['ip', 'route'],
    ['ip', '-6', 'route'],
    [
      'cat',
      '/proc/sys/net/ipv4/ip_forward',
      '/proc/sys/net/ipv6/conf/all/forwarding',
      '/proc/sys/net/ipv4/conf/all/rp_filter',
    ],
  ] as const
  const outcomes = await Promise.all(shows.map(argv => kernel.run(anyCommand(argv))))
  // Leases and router advertisements run out by themselves.
  return outcomes.map(({ stdout }) => stdout.replaceAll(/\d+sec/g, ''))
}

async function whyNot(kernel: Kernel): Promise<string | undefined> {
  const wanted = ['ip', 'iptables', 'ip6tables', 'conntrack'] as const
  const ensured = await ensurePrograms(kernel, wanted, { install: 'never', say: () => {} })
  if (!ensured.ok) return ensured.problem
  const name = `${labName(process.pid)}-try`
  const added = await kernel.run(anyCommand(['ip', 'netns', 'add', name]))
  if (added.code !== 0) return `network namespaces cannot be made here: ${added.stderr.trim()}`
  const entered = await inNamespace(kernel, name).run(anyCommand(['ip6tables', '-t', 'nat', '-S']))
  await must(kernel, anyCommand(['ip', 'netns', 'del', name]))
  return entered.code === 0 ? undefined : `no IPv6 NAT in a namespace: ${entered.stderr.trim()}`
}
