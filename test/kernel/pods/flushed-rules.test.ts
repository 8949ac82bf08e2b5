import { type ChildProcess, spawn } from 'node:child_process'
import { afterEach, beforeEach, describe, type TestContext, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { installedOnce } from './node-for-each.ts'
import { OUTSIDE } from './outside.ts'
import { PodsNode, type RunningDaemon } from './pods-node.ts'
import { cannotCompile } from './shim.ts'

// Another program flushes the rules of a node: those of pods that live are written anew by the daemon, and no others.

const why = cannotRun('iptables-legacy', 'iptables-nft', 'nft', 'busybox', 'nsenter', 'unshare') ?? cannotCompile()

interface Flushed {
  readonly backend: 'iptables' | 'nftables'
  readonly variant: 'nft' | 'legacy'
  readonly flush: readonly (readonly string[])[]
}

const IPTABLES = (variant: string) => ['iptables', 'ip6tables'].map(name => [`${name}-${variant}`, '-t', 'nat', '-F'])
const CASES: Readonly<Record<string, Flushed>> = {
  'iptables -t nat -F': { backend: 'iptables', variant: 'nft', flush: IPTABLES('nft') },
  'iptables-legacy -t nat -F': { backend: 'iptables', variant: 'legacy', flush: IPTABLES('legacy') },
  'nft flush ruleset': { backend: 'iptables', variant: 'nft', flush: [['nft', 'flush', 'ruleset']] },
  'nft flush ruleset, rules by nftables': { backend: 'nftables', variant: 'nft', flush: [['nft', 'flush', 'ruleset']] },
}

/** Looks follow each other by ten seconds where the ruleset changes often. */
const SOON = { timeout: 90_000, interval: 100 }

const STAND_AGAIN = /"Rules of pods were removed by another program, and stand again" masquerade=(\d+) hostPorts=(\d+)/g

/** Of either kind, in one look or in two: the rules may be flushed in the middle of one. */
function standAgain(lines: readonly string[]): readonly number[] {
  const counts = [...lines.join('\n').matchAll(STAND_AGAIN)]
  return [1, 2].map(kind => counts.reduce((sum, count) => sum + Number(count[kind]), 0))
}

/** Lines that stand more often on one side, each as often as it does. */
function differences(before: readonly string[], now: readonly string[]): readonly string[] {
  const without = (all: readonly string[], others: readonly string[]): readonly string[] => {
    const left = [...others]
    return all.filter(line => !left.includes(line) || left.splice(left.indexOf(line), 1).length === 0)
  }
  return [...without(before, now).map(line => `gone: ${line}`), ...without(now, before).map(line => `new: ${line}`)]
}

describe.skipIf(why !== undefined).each(Object.entries(CASES))(
  `after %s${why ? ` (skipped: ${why})` : ''}`,
  // Most of the time of a case is waiting for a look.
  { timeout: 300_000, concurrent: true },
  (_, { backend, variant, flush }) => {
    const installation = installedOnce()
    let node: PodsNode
    let daemon: RunningDaemon
    let server: ChildProcess | undefined
    let expect: TestContext['expect']

    beforeEach(async context => {
      expect = context.expect
      node = await PodsNode.start(installation())
      for (const name of ['iptables', 'ip6tables'])
        node.run(`${name}-${variant}`, '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT')
      node.run('sh', '-c', OUTSIDE)
      daemon = await node.startDaemon()
    })
    afterEach(async () => {
      server?.kill('SIGKILL')
      await node.stop()
    })

    const BRIDGE = {
      ...{ cniVersion: '1.1.0', name: 'mynet', type: 'bridge', bridge: 'cni0', isGateway: true },
      ...{ ipMasq: true, ipMasqBackend: backend },
      ipam: {
        ...{ type: 'host-local', ranges: [[{ subnet: '10.244.0.0/24' }], [{ subnet: 'fd00:244::/64' }]] },
        routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
      },
    }
    const PORTMAP = { ...{ cniVersion: '1.1.0', name: 'mynet', type: 'switchyard', plugin: 'portmap' }, backend }

    const call = async (plugin: 'bridge' | 'switchyard', command: string, container: string, config: object) => {
      const netns = `/run/netns/${container}`
      const { code, stdout } = await node.call(plugin, { command, container, netns, config })
      expect([code, stdout]).toEqual([0, expect.anything()])
      return stdout
    }
    const start = async (container: string, hostPort: number) => {
      node.pod(container)
      const prevResult = JSON.parse(await call('bridge', 'ADD', container, BRIDGE))
      const portMappings = [{ hostPort, containerPort: 80, protocol: 'tcp' }]
      const portmap = { ...PORTMAP, prevResult, runtimeConfig: { portMappings } }
      await call('switchyard', 'ADD', container, portmap)
      return { container, bridge: { ...BRIDGE, prevResult }, portmap }
    }
    const end = async ({ container, bridge, portmap }: Awaited<ReturnType<typeof start>>) => {
      await call('switchyard', 'DEL', container, portmap)
      await call('bridge', 'DEL', container, bridge)
    }
    /** Without what counts packets and generations, in one order. */
    const rules = (): readonly string[] => {
      const texts = [`iptables-${variant}-save`, `ip6tables-${variant}-save`].map(name => node.run(name))
      const lines = [...texts, node.run('nft', 'list', 'ruleset')].join('\n').split('\n')
      return lines
        .filter(line => /CNI-|switchyard|pod-|dnat|masquerade|10\.244|fd00:244/.test(line))
        .map(plain)
        .sort()
    }
    const plain = (line: string): string =>
      line.replace(/ \[\d+:\d+\]$/, '').replace(/counter packets \d+ bytes \d+ /, '')
    const flushAll = (): void => {
      for (const argv of flush) node.run(...argv)
    }
    const reached = (port: number): boolean =>
      node.succeeds(
        'ip',
        'netns',
        'exec',
        'outside',
        'timeout',
        '2',
        'busybox',
        'nc',
        '203.0.113.1',
        `${port}`,
        '-e',
        'true',
      )
    const serve = (container: string): void => {
      const words = ['setpriv', '--pdeathsig', 'KILL', 'busybox', 'nc', '-ll', '-p', '80', '-e', 'true']
      const [enter, ...argv] = node.within(['nsenter', `--net=/run/netns/${container}`, '--', ...words])
      server = spawn(enter, argv, { stdio: 'ignore' })
    }

    test('rules of pods stand again, in their order, and say so; those of pods that ended stay away', {
      concurrent: false,
    }, async () => {
      const [blue, green] = [await start('blue', 8080), await start('green', 8081)]
      // Of two mappings of one port, the newer has it.
      const red = await start('red', 8080)
      serve('red')
      await expect.poll(() => reached(8080), SOON).toBe(true)
      const before = rules()
      expect(before.length).toBeGreaterThan(10)
      const said = daemon.lines.length
      flushAll()
      await expect.poll(() => differences(before, rules()), SOON).toEqual([])
      await expect.poll(() => reached(8080), SOON).toBe(true)
      for (const { container, bridge, portmap } of [blue, green, red]) {
        await call('bridge', 'CHECK', container, bridge)
        if (container !== 'blue') await call('switchyard', 'CHECK', container, portmap)
      }
      await expect.poll(() => Math.min(...standAgain(daemon.lines.slice(said))), SOON).toBeGreaterThanOrEqual(3)
      await end(green)
      flushAll()
      await expect.poll(() => rules().some(line => line.includes('8080')), SOON).toBe(true)
      await expect.poll(() => rules().some(line => line.includes('10.244.0.4')), SOON).toBe(true)
      expect(rules().join('\n')).not.toMatch(/8081|green|10\.244\.0\.3\b/)
      await end(blue)
      await end(red)
      expect(rules().join('\n')).not.toMatch(/8080|10\.244\.0\.\d\b(?!\/)/)
    })

    test('a daemon that begins later finds what is missing, and leaves alone what belongs to a pod that is gone', {
      concurrent: false,
    }, async () => {
      await start('blue', 8080)
      await start('green', 8081)
      daemon.kill('SIGKILL')
      await daemon.ended
      flushAll()
      // Without a DEL.
      node.run('ip', 'netns', 'delete', 'green')
      daemon = await node.startDaemon()
      await expect.poll(() => rules().filter(line => /8080/.test(line)).length, SOON).toBeGreaterThan(0)
      await expect
        .poll(() => daemon.lines.join('\n'), SOON)
        .toContain('"Rules of pods were removed by another program, and stand again" masquerade=1 hostPorts=1')
      expect(rules().join('\n')).not.toMatch(/8081|green/)
    })
  },
)
