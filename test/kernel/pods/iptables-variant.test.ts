import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { Installation, PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'

// A host with both variants of iptables: rules of pods stand where kubelet's are, whatever plain `iptables` is in our image.

const why = cannotRun('iptables-legacy', 'iptables-nft', 'nsenter', 'unshare') ?? cannotCompile()

const NETWORK = { cniVersion: '1.1.0', name: 'mynet' }
const BRIDGE = {
  ...{ ...NETWORK, type: 'bridge', bridge: 'cni0', isGateway: true, ipMasq: true },
  ipam: { type: 'host-local', subnet: '10.244.0.0/16', routes: [{ dst: '0.0.0.0/0' }] },
}
const PORTMAP = { ...NETWORK, type: 'switchyard', plugin: 'portmap' }
const VARIANTS = ['legacy', 'nft'] as const

describe.skipIf(why !== undefined).each(VARIANTS)(
  `pods on a host of iptables-%s${why ? ` (skipped: ${why})` : ''}`,
  variant => {
    let installation: Installation
    let node: PodsNode

    beforeAll(() => {
      installation = new Installation()
    })
    beforeEach(async () => {
      node = await PodsNode.start(installation)
      node.run(`iptables-${variant}`, '-t', 'mangle', '-N', 'KUBE-IPTABLES-HINT')
      // More than the hint: another program's rules are on the other side.
      const other = variant === 'nft' ? 'legacy' : 'nft'
      for (const port of ['1', '2', '3']) node.run(`iptables-${other}`, '-A', 'INPUT', '-p', 'tcp', '--dport', port)
    })
    afterEach(async () => {
      await node.stop()
      installation.removeFallback()
    })
    afterAll(() => installation.remove())

    const chains = (of: (typeof VARIANTS)[number]): readonly string[] =>
      node.run(`iptables-${of}-save`).match(/(?<=^:)CNI-(?:[0-9a-f]{24}|DN-\S+)/gm) ?? []
    const call = async (plugin: 'bridge' | 'switchyard', command: string, config: object, container = 'blue') => {
      const netns = `/run/netns/${container}`
      const { code, stdout } = await node.call(plugin, { command, container, netns, config })
      expect([code, stdout]).toEqual([0, expect.anything()])
      return stdout
    }
    const portmapOf = (hostPort: number) => ({
      ...PORTMAP,
      runtimeConfig: { portMappings: [{ hostPort, containerPort: 80, protocol: 'tcp' }] },
    })

    test.each(['the daemon', 'the program beside it'])('%s writes rules there, and takes them back', async by => {
      if (by === 'the daemon') await node.startDaemon()
      else installation.addFallback()
      node.pod('blue')
      const prevResult = JSON.parse(await call('bridge', 'ADD', BRIDGE))
      await call('switchyard', 'ADD', { ...portmapOf(8080), prevResult })
      expect(VARIANTS.filter(one => chains(one).length > 0)).toEqual([variant])
      expect(chains(variant)).toHaveLength(2)
      await call('bridge', 'CHECK', { ...BRIDGE, prevResult })
      await call('switchyard', 'CHECK', { ...portmapOf(8080), prevResult })
      await call('switchyard', 'DEL', { ...PORTMAP, prevResult })
      await call('bridge', 'DEL', { ...BRIDGE, prevResult })
      expect(VARIANTS.flatMap(chains)).toEqual([])
    })

    test('eight at once, and their ends, leave nothing', async () => {
      await node.startDaemon()
      const pods = Array.from({ length: 8 }, (_, i) => ({ name: `pod-${i}`, port: 9000 + i }))
      for (const { name } of pods) node.pod(name)
      const results = await Promise.all(
        pods.map(async ({ name, port }) => {
          const prevResult = JSON.parse(await call('bridge', 'ADD', BRIDGE, name))
          await call('switchyard', 'ADD', { ...portmapOf(port), prevResult }, name)
          return { name, prevResult }
        }),
      )
      expect(chains(variant)).toHaveLength(16)
      await Promise.all(
        results.map(async ({ name, prevResult }) => {
          await call('switchyard', 'DEL', { ...PORTMAP, prevResult }, name)
          await call('bridge', 'DEL', { ...BRIDGE, prevResult }, name)
        }),
      )
      expect(VARIANTS.flatMap(chains)).toEqual([])
      expect(node.run(`iptables-${variant}-save`)).not.toMatch(/pod-\d/)
    })
  },
)
