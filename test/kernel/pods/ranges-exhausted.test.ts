import { describe, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { installedOnce } from './node-for-each.ts'
import type { PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'
import { TwoNodes } from './two-nodes.ts'

// Ranges of the cluster that run full, with the daemon as it is shipped: a Warning comes before, the refusal has numbers, and there
// are addresses again where pods have ended.

const why = cannotRun('iptables', 'nsenter', 'unshare') ?? cannotCompile()
const SOON = { timeout: 40_000, interval: 200 }
const PORT = 10_245
/** Of the network whose configuration the daemon writes. */
const CONFIG = {
  ...{ cniVersion: '1.1.0', name: 'pods', type: 'switchyard', bridge: 'cni0', isGateway: true, forceAddress: true },
  ipam: { type: 'switchyard', routes: [{ dst: '0.0.0.0/0' }] },
}

interface Refusal {
  readonly code: number
  readonly msg: string
  readonly details: string
}

interface Said {
  readonly eventTime: string
  readonly reason: string
  readonly note: string
  readonly regarding: { readonly name: string }
}

describe.skipIf(why !== undefined)(`ranges that run full${why ? ` (skipped: ${why})` : ''}`, () => {
  const installation = installedOnce()

  async function call(node: PodsNode, command: string, pod?: string) {
    const where = pod === undefined ? {} : { container: pod, netns: `/run/netns/${pod}` }
    const env = { CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod};K8S_POD_UID=u` }
    const { stdout } = await node.call('switchyard', { command, config: CONFIG, ...where, env })
    return stdout === '' ? {} : JSON.parse(stdout)
  }

  /** The pod’s address, or why it has none. */
  async function attach(node: PodsNode, pod: string): Promise<string | Refusal> {
    if (!node.succeeds('test', '-e', `/run/netns/${pod}`)) node.pod(pod)
    const { ips, ...refusal } = await call(node, 'ADD', pod)
    return ips?.[0].address ?? refusal
  }

  /** Of the node's metrics, by the state of addresses, and how many there are. */
  async function addresses(node: PodsNode): Promise<Readonly<Record<string, number>>> {
    const ask = `exec 3<>/dev/tcp/127.0.0.1/${PORT}; printf 'GET /metrics HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`
    const text = node.run('timeout', '5', 'bash', '-c', ask)
    const found = text.matchAll(/^switchyard_ipam_addresses\{family="ipv4",network="pods",.*state="(\w+)"\} (\d+)$/gm)
    const size = Number(/^switchyard_ipam_range_size\{.*network="pods".*\} (\d+)$/m.exec(text)?.[1])
    return { size, ...Object.fromEntries([...found].map(([, state, count]) => [state, Number(count)])) }
  }

  /** About a Node, in the order in which they came. */
  async function events({ api }: TwoNodes, about: string): Promise<readonly Said[]> {
    const answer = await fetch(`http://127.0.0.1:${api.server.port}/apis/events.k8s.io/v1/events`)
    const { items } = (await answer.json()) as { readonly items: readonly Said[] }
    const ours = items.filter(({ regarding }) => regarding.name === about)
    return ours.toSorted((a, b) => a.eventTime.localeCompare(b.eventTime))
  }

  /** Pods until one is refused. Where one address is left, it waits until an Event has said that there are few. */
  async function fill(stage: TwoNodes, name: string, prefix: string) {
    const node = stage.nodes[name === 'n1' ? 0 : 1]
    const given: string[] = []
    for (let i = 0; i < 40; i++) {
      if ((await addresses(node)).free === 1) await saidOf(stage, name).toEqual(['AddressesNearlyExhausted'])
      const pod = `${prefix}${i}`
      const answer = await attach(node, pod)
      if (typeof answer !== 'string') return { given, refusal: answer, refused: pod }
      given.push(answer)
    }
    throw new Error('no end of addresses')
  }

  const saidOf = (stage: TwoNodes, name: string) =>
    stage.expect.poll(async () => (await events(stage, name)).map(({ reason }) => reason), SOON)
  const coolDown = (node: PodsNode) => node.change("UPDATE lease SET until = until - 3600000 WHERE state = 'cooldown'")

  test.concurrent('of spec.podCIDRs: a node that has given all says so, before and then, and goes on when pods have ended', async ({
    expect,
    onTestFinished,
  }) => {
    const stage = await TwoNodes.begin(installation(), { expect, onTestFinished })
    const { api, nodes } = stage
    const [node] = nodes
    api.putNode('n1', 'uid-1', '10.244.7.0/28')
    await stage.started(node, 'n1', '--ranges-from=node')
    await expect.poll(() => call(node, 'STATUS'), SOON).toEqual({})
    const { given, refusal, refused } = await fill(stage, 'n1', 'a')
    expect(given).toHaveLength(13)
    const full = {
      code: 50,
      details: expect.stringMatching(
        /^13 in all: 13 leased, 0 cooling down, 0 free; held the longest: 10\.244\.7\.2 by default\/a0 /,
      ),
    }
    expect(refusal).toMatchObject(full)
    expect(refusal.details).toMatch(/; look with: switchyard ipam ls --network pods$/)
    expect(await call(node, 'STATUS')).toMatchObject(full)
    expect(await addresses(node)).toEqual({ size: 13, used: 13, cooling: 0, elsewhere: 0, free: 0 })
    await saidOf(stage, 'n1').toEqual(['AddressesNearlyExhausted', 'AddressesExhausted'])
    expect((await events(stage, 'n1')).map(({ note }) => note)).toEqual([
      expect.stringContaining('is nearly full: 92.3%, 12 used, 0 cooling down, 1 free of 13'),
      expect.stringContaining('is full, new pods get no address: 100%, 13 used, 0 cooling down, 0 free of 13'),
    ])

    for (const pod of ['a0', 'a1']) await call(node, 'DEL', pod)
    expect(await addresses(node)).toEqual({ size: 13, used: 11, cooling: 2, elsewhere: 0, free: 0 })
    expect(await attach(node, refused)).toMatchObject({
      code: 11,
      details: expect.stringMatching(
        /^13 in all: 11 leased, 2 cooling down \(the first is free in [\d.]+m?s\), 0 free/,
      ),
    })
    coolDown(node)
    expect(await attach(node, refused)).toBe(given[0])
    expect(await call(node, 'STATUS')).toEqual({})
  }, 300_000)

  test.concurrent('of the ring: both nodes give until nothing is left, and what ends on one is given by the other', async ({
    expect,
    onTestFinished,
  }) => {
    const stage = await TwoNodes.begin(installation(), { expect, onTestFinished })
    const { api, nodes } = stage
    const ring = ['--ranges-from=ring', '--ipalloc-range=10.40.0.0/27', '--ipalloc-init=consensus=2']
    const [one, two] = nodes
    for (const number of [1, 2]) api.putNode(`n${number}`, `uid-${number}`)
    const first = await stage.started(one, 'n1', ...ring)
    await stage.started(two, 'n2', ...ring)
    for (const node of nodes) await expect.poll(() => call(node, 'STATUS'), SOON).toEqual({})
    // In turn, so that neither has enough for the other to be given some.
    for (let i = 0; i < 12; i++) for (const node of nodes) expect(await attach(node, `all${i}`)).toMatch(/^10\.40/)
    const given = [...(await fill(stage, 'n1', 'more')).given, ...(await fill(stage, 'n2', 'more')).given]
    // Two gateways, and the first and the last address of the ring.
    expect(given).toHaveLength(32 - 4 - 24)
    for (const [node, name] of [
      [one, 'n1'],
      [two, 'n2'],
    ] as const) {
      expect(await attach(node, 'late')).toMatchObject({
        code: 50,
        details: expect.stringMatching(/^14 in all: 14 leased/),
      })
      expect(await call(node, 'STATUS')).toMatchObject({ code: 50 })
      expect(await addresses(node)).toEqual({ size: 14, used: 14, cooling: 0, elsewhere: 0, free: 0 })
      await saidOf(stage, name).toEqual(['AddressesNearlyExhausted', 'AddressesExhausted'])
    }
    await expect.poll(() => first.lines.join('\n'), SOON).toContain('Asked other nodes for addresses')

    for (let i = 0; i < 12; i++) await call(two, 'DEL', `all${i}`)
    coolDown(two)
    await expect
      .poll(() => attach(one, 'late'), { ...SOON, timeout: 90_000 })
      .toMatch(/^10\.40\.0\.(?:1[6-9]|2\d)\/27$/)
    expect(await attach(two, 'late')).toMatch(/^10\.40/)
  }, 300_000)
})
