import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { ForwardKeeper, removeForwardRules } from '#routes/masquerade/forward-keeper.ts'
import { must } from '#system/must.ts'
import { cidr } from '../../routes/stage.ts'
import { captureLog } from '../../support/captured-log.ts'
import { cannotRun, type Namespace, newNamespace } from '../namespace.ts'
import { ensured } from './bridge-requirements.ts'
import { type ClusterNode, type ClusterPod, ClusterStage, type Ends } from './routes-stage.ts'

// Nodes whose FORWARD drops what no rule accepts, as Docker leaves it.

const TOOLS = ['iptables', 'ip6tables'] as const
const CLUSTER = ['10.244.0.0/16', 'fd00:244::/32'].map(cidr)
const why = (await ensured()) ?? cannotRun('iptables')

describe.skipIf(why !== undefined)(`rules that accept what pods forward${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  let [clock, captured] = [new PaperClock(), captureLog(0)]
  let keeper: ForwardKeeper
  beforeEach(async () => {
    namespace = await newNamespace('forward')
    ;[clock, captured] = [new PaperClock(), captureLog(0)]
    keeper = new ForwardKeeper({ kernel: namespace.kernel, clock, log: captured.log })
  })
  afterEach(() => namespace.end())

  const run = async (...argv: readonly [string, ...string[]]) => (await must(namespace.kernel, anyCommand(argv))).stdout
  const chain = async (tool: string) => (await run(tool, '-S')).split('\n').filter(line => /-A .*SWITCHYARD/.test(line))
  const drop = async () => {
    for (const tool of TOOLS) await run(tool, '-P', 'FORWARD', 'DROP')
  }
  const WHOLE = [
    '-A FORWARD -m comment --comment "pods of the cluster" -j SWITCHYARD-FORWARD',
    '-A SWITCHYARD-FORWARD -s 10.244.0.0/16 -m comment --comment "pods of the cluster" -j ACCEPT',
    '-A SWITCHYARD-FORWARD -d 10.244.0.0/16 -m comment --comment "pods of the cluster" -j ACCEPT',
  ]

  test('are there only where the policy drops, behind the rules of others', async () => {
    await keeper.keep(CLUSTER)
    expect(await chain('iptables')).toEqual([])
    await drop()
    await run('iptables', '-A', 'FORWARD', '-s', '10.244.9.9', '-j', 'DROP')
    await clock.advance(60_000)
    await keeper.keep(CLUSTER)
    expect(await chain('iptables')).toEqual(WHOLE)
    expect(await chain('ip6tables')).toHaveLength(3)
    expect((await run('iptables', '-S', 'FORWARD')).trim().split('\n')).toEqual([
      '-P FORWARD DROP',
      '-A FORWARD -s 10.244.9.9/32 -j DROP',
      WHOLE[0],
    ])
    expect(captured.lines.join('\n')).toMatch(
      /"FORWARD of this node drops what no rule accepts: what pods forward is accepted" family="ipv4"/,
    )
    await run('iptables', '-P', 'FORWARD', 'ACCEPT')
    await clock.advance(60_000)
    await keeper.keep(CLUSTER)
    expect([await chain('iptables'), (await chain('ip6tables')).length]).toEqual([[], 3])
  })

  test.each([
    ['-F'],
    ['-F', 'FORWARD'],
    ['-F', 'SWITCHYARD-FORWARD'],
    ['-D', 'SWITCHYARD-FORWARD', '1'],
    ['-I', 'SWITCHYARD-FORWARD', '-j', 'DROP'],
  ])('are repaired within a minute, with one jump: %s %s', async (...words) => {
    await drop()
    await keeper.keep(CLUSTER)
    await run('iptables', ...words)
    await keeper.keep(CLUSTER)
    expect(await chain('iptables')).not.toEqual(WHOLE)
    await clock.advance(60_000)
    await keeper.keep(CLUSTER)
    expect(await chain('iptables')).toEqual(WHOLE)
    expect(captured.lines.filter(line => line.includes('changed by another program'))).toHaveLength(1)
  })

  test('cannot stand in chains of nftables: those that drop are named, once', async () => {
    await drop()
    const hook = (policy: string) => `{ type filter hook forward priority 5 ; policy ${policy} ; }`
    for (const [table, policy] of [
      ['inet firewall', 'drop'],
      ['ip6 harmless', 'accept'],
    ] as const) {
      await run('nft', `add table ${table}`)
      await run('nft', `add chain ${table} through ${hook(policy)}`)
    }
    for (const ranges of [CLUSTER, [...CLUSTER, cidr('10.32.0.0/12')]]) await keeper.keep(ranges)
    expect(captured.lines.filter(line => line.includes('Chains of nftables'))).toEqual([
      expect.stringContaining('chains=["inet firewall through"]'),
    ])
  })

  test('follow the ranges of the cluster, and go without a trace', async () => {
    await drop()
    const before = await run('iptables', '-S')
    await keeper.keep(CLUSTER)
    await keeper.keep([cidr('10.32.0.0/12')])
    expect(await chain('iptables')).toEqual(WHOLE.map(line => line.replace('10.244.0.0/16', '10.32.0.0/12')))
    expect(await chain('ip6tables')).toEqual([])
    await removeForwardRules(namespace.kernel)
    await removeForwardRules(namespace.kernel)
    expect(await run('iptables', '-S')).toBe(before)
  })
})

describe.skipIf(why !== undefined)('pods of two nodes that forward nothing', { timeout: 180_000 }, () => {
  let stage: ClusterStage
  let nodes: readonly ClusterNode[]
  let [here, there]: ClusterPod[] = []
  const ENDS: readonly Ends[] = ['ip4', 'ip6']

  beforeAll(async () => {
    stage = await ClusterStage.open()
    nodes = [await stage.addNode(1), await stage.addNode(2)]
    here = await stage.addPod(nodes[0]!)
    there = await stage.addPod(nodes[1]!)
  }, 120_000)
  afterAll(() => stage?.end())

  function poll(ask: () => unknown) {
    return expect.poll(ask, { interval: 100, timeout: 40_000 })
  }

  test('are cut off until the daemon has its rules, and talk then; cni uninstall leaves none of them', async () => {
    for (const end of ENDS) await poll(() => stage.seenOf(here!, there![end])).toBe(here![end])
    for (const { node, daemon } of nodes) {
      daemon.kill('SIGTERM')
      await daemon.ended
      for (const tool of TOOLS) node.run(tool, '-P', 'FORWARD', 'DROP')
    }
    for (const end of ENDS) expect(stage.isCutOff(here!, there![end])).toBe(true)
    for (const one of nodes) one.daemon = await one.node.startDaemon()
    for (const end of ENDS) {
      await poll(() => stage.seenOf(here!, there![end])).toBe(here![end])
      expect(stage.seenOf(there!, here![end])).toBe(there![end])
    }
    for (const { node, daemon } of nodes) {
      daemon.kill('SIGTERM')
      await daemon.ended
      node.run(process.execPath, stage.installation.program, 'cni', 'uninstall', '--bin-dir=/run/no-such-folder')
      for (const tool of TOOLS) expect(node.run(tool, '-S')).not.toContain('SWITCHYARD')
      expect(node.run('nft', 'list', 'ruleset')).not.toMatch(/switchyard_outbound|SWITCHYARD/)
    }
  })
})
