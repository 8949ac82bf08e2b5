import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { CniResult } from '#cni/protocol/result.ts'
import { anyCommand } from '#lab/any-command.ts'
import { settings } from '#lab/network/namespaces.ts'
import { NODE } from '#lab/network/topology.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { whyNot } from '../ground.ts'
import { openPortmapStage, type PortmapStage, resultOf } from './portmap-stage.ts'

// Ports of the node lead into containers: real packets, with each back end.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'])

const BACKENDS = [
  { name: 'iptables', variant: 'nft', config: { backend: 'iptables' }, mark: 'CNI-DN-' },
  { name: 'iptables-legacy', variant: 'legacy', config: { backend: 'iptables' }, mark: 'CNI-DN-' },
  { name: 'nftables', variant: 'nft', config: { backend: 'nftables' }, mark: 'pod-' },
] as const

/** An answer or a refusal comes at once; but the machine may have other work. */
const SOON_MS = 30_000
const TCP = { hostPort: 8080, containerPort: 80, protocol: 'tcp' }

describe.skipIf(why !== undefined).each(BACKENDS)(
  `$name${why ? ` (skipped: ${why})` : ''}`,
  ({ variant, config, mark }) => {
    let stage: PortmapStage

    const open = async (): Promise<PortmapStage> => {
      stage = await openPortmapStage(hostKernel(), variant)
      for (const pod of stage.pods) await pod.listen('tcp', 80)
      return stage
    }
    afterEach(() => stage?.end())

    const reach = async (from: 'outside' | 'node' | 0 | 1, to: string, port = 8080): Promise<string> => {
      const host = typeof from === 'number' ? stage.pods[from]! : stage.lab[from]
      const outcome = await host.connect({ to, port, timeoutMs: SOON_MS })
      return outcome.ok ? outcome.answer.name : outcome.error
    }

    test('a port of the node leads to the pod: from outside, the node, another pod of the bridge, the pod itself', async () => {
      await open()
      await stage.call('ADD', { mappings: [TCP], config })
      for (const to of [NODE.ip4, NODE.ip6]) {
        expect(await reach('outside', to)).toBe('one')
        expect(await reach('node', to)).toBe('one')
        expect(await reach(1, to)).toBe('one')
        expect(await reach(0, to)).toBe('one')
      }
      expect(await reach('node', '127.0.0.1')).toBe('one')
      expect(await reach('outside', NODE.ip4, 80)).toBe('refused')
    })

    test('also where bridged packets pass the rules, as Kubernetes has it, and ports of the bridge have no hairpin', async () => {
      await open()
      const port = 'link set veth1 type bridge_slave hairpin off'
      await must(stage.lab.node.kernel, anyCommand(['ip', ...port.split(' ')]))
      const passed = ['bridge/bridge-nf-call-iptables', 'bridge/bridge-nf-call-ip6tables']
      await must(stage.lab.node.kernel, settings(1, passed))
      await stage.call('ADD', { mappings: [TCP], config })
      for (const to of [NODE.ip4, NODE.ip6]) {
        expect(await reach(1, to)).toBe('one')
        expect(await reach(0, to)).toBe('one')
      }
    })

    test('outside keeps its own address, a neighbour gets the address of the bridge', async () => {
      await open()
      await stage.call('ADD', { mappings: [TCP], config })
      const seen = async (host: { connect: PortmapStage['lab']['outside']['connect'] }) => {
        const outcome = await host.connect({ to: NODE.ip4, port: 8080, timeoutMs: SOON_MS })
        return outcome.ok ? outcome.answer.peer.address : outcome.error
      }
      expect(await seen(stage.lab.outside)).toBe('10.99.0.1')
      expect(await seen(stage.pods[1])).toBe('10.244.1.1')
      await stage.call('DEL')
      await stage.call('ADD', { mappings: [TCP], config: { ...config, masqAll: true } })
      expect(await seen(stage.lab.outside)).toBe('10.244.1.1')
    })

    test('a mapping for one address of the node is for that one alone', async () => {
      await open()
      const mappings = [
        { ...TCP, hostIP: NODE.second.ip4 },
        { ...TCP, hostPort: 8081, hostIP: '::' },
      ]
      await stage.call('ADD', { mappings, config })
      expect(await reach('outside', NODE.second.ip4)).toBe('one')
      expect(await reach('outside', NODE.ip4)).toBe('refused')
      expect(await reach('outside', NODE.ip6)).toBe('refused')
      expect(await reach('outside', NODE.ip6, 8081)).toBe('one')
      expect(await reach('outside', NODE.ip4, 8081)).toBe('refused')
    })

    test('DEL takes all of it back, without mappings, namespace or previous result, and again', async () => {
      await open()
      await stage.call('ADD', { mappings: [TCP, { ...TCP, hostPort: 8053, protocol: 'udp' }], config })
      expect(await stage.rulesWith(mark)).not.toEqual([])
      await stage.call('DEL', { without: 'previous result' })
      expect(await stage.rulesWith(mark)).toEqual([])
      expect(await reach('outside', NODE.ip4)).toBe('refused')
      await stage.call('DEL', { without: 'previous result' })
    })

    test('the newest mapping of a port has it, and the one before gets it back', async () => {
      await open()
      await stage.call('ADD', { mappings: [TCP], config })
      await stage.call('ADD', { mappings: [TCP], config, pod: stage.pods[1] })
      expect(await reach('outside', NODE.ip4)).toBe('two')
      await stage.call('DEL', { pod: stage.pods[1] })
      expect(await reach('outside', NODE.ip4)).toBe('one')
    })

    test('a second ADD leaves the rules of one', async () => {
      await open()
      await stage.call('ADD', { mappings: [TCP], config })
      const once = await stage.rulesWith(mark)
      await stage.call('ADD', { mappings: [TCP], config })
      expect(await stage.rulesWith(mark)).toEqual(once)
    })

    test('twenty ports, and conditions that shut some clients out', async () => {
      await open()
      const mappings = Array.from({ length: 20 }, (_, i) => ({ ...TCP, hostPort: 9000 + i }))
      const [not, saddr] = config.backend === 'iptables' ? ['! -s', ''] : ['ip saddr !=', '']
      await stage.call('ADD', { mappings, config: { ...config, conditionsV4: `${not} 10.99.0.3${saddr}` } })
      expect(await reach('outside', NODE.ip4, 9000)).toBe('one')
      expect(await reach('outside', NODE.ip4, 9019)).toBe('one')
      const remote = await stage.lab.remote.connect({ to: NODE.ip4, port: 9000, timeoutMs: SOON_MS })
      expect(remote).toMatchObject({ ok: false, error: 'refused' })
      await stage.call('DEL')
      expect(await stage.rulesWith(mark)).toEqual([])
    })

    test('a UDP client that goes on sending reaches the new pod at once, and no pod that is gone', async () => {
      await open()
      for (const pod of stage.pods) await pod.listen('udp', 53)
      const udp = { hostPort: 8053, containerPort: 53, protocol: 'UDP' }
      const ask = async (): Promise<string> => {
        const outcome = await stage.lab.outside.connect({
          protocol: 'udp',
          to: NODE.ip4,
          port: 8053,
          sourcePort: 40_053,
          timeoutMs: SOON_MS,
        })
        return outcome.ok ? outcome.answer.name : outcome.error
      }
      expect(await ask()).toBe('refused')
      await stage.call('ADD', { mappings: [udp], config })
      expect(await ask()).toBe('one')
      await stage.call('ADD', { mappings: [udp], config, pod: stage.pods[1] })
      expect(await ask()).toBe('two')
      await stage.call('DEL', { pod: stage.pods[1] })
      expect(await ask()).toBe('one')
      await stage.call('DEL')
      expect(await ask()).toBe('refused')
    })

    test('STATUS says nothing where the back end can be run, and names it where it cannot', async () => {
      await open()
      await stage.call('STATUS', { config })
      stage.parts.kernel.run = async () => ({ code: 127, stdout: '', stderr: 'not found' })
      await expect(stage.call('STATUS', { config })).rejects.toMatchObject({
        code: 50,
        message: expect.stringMatching(/no (iptables-restore|nft) can be run/),
      })
    })

    test('SCTP has its rules', async () => {
      await open()
      await stage.call('ADD', { mappings: [{ ...TCP, protocol: 'sctp' }], config })
      expect((await stage.rulesWith('sctp')).length).toBeGreaterThan(2)
      await stage.call('CHECK', { mappings: [{ ...TCP, protocol: 'sctp' }], config })
    })

    test('what the node offers on localhost alone stays out of reach of pods', async () => {
      await open()
      await stage.lab.node.listen('tcp', 7777, { addresses: ['127.0.0.1'] })
      await stage.call('ADD', { mappings: [TCP], config })
      const [pod] = stage.pods
      await must(pod.kernel, anyCommand(['tee', '/proc/sys/net/ipv4/conf/all/route_localnet'], { input: '1' }))
      await must(pod.kernel, anyCommand(['ip', 'address', 'delete', '127.0.0.1/8', 'dev', 'lo']))
      await must(pod.kernel, anyCommand(['ip', 'route', 'add', '127.0.0.0/8', 'via', '10.244.1.1', 'dev', 'eth0']))
      expect(await pod.connect({ to: '127.0.0.1', port: 7777, from: pod.ip4 })).toMatchObject({
        ok: false,
        error: 'timeout',
      })
      expect(await reach('node', '127.0.0.1', 7777)).toBe('node')
    })

    test('CHECK is content with what ADD made, and names what was flushed', async () => {
      await open()
      const options = { mappings: [TCP], config }
      await stage.call('ADD', options)
      await stage.call('CHECK', options)
      await expect(stage.call('CHECK', { ...options, mappings: [{ ...TCP, hostPort: 8081 }] })).rejects.toThrow(
        /portmap: /,
      )
      const flush =
        config.backend === 'nftables'
          ? ['nft', 'flush', 'chain', 'ip', 'switchyard_hostports', 'prerouting']
          : ['iptables', '-t', 'nat', '-F', 'PREROUTING']
      const [program, ...words] = flush
      await must(stage.parts.kernel, anyCommand([program!, ...words]))
      await expect(stage.call('CHECK', options)).rejects.toThrow(/portmap: /)
    })

    test('after everything was flushed the next pod is reached, and DEL still takes back', async () => {
      await open()
      await stage.call('ADD', { mappings: [TCP], config })
      const flush = config.backend === 'nftables' ? ['nft', 'flush', 'ruleset'] : ['iptables', '-t', 'nat', '-F']
      const [program, ...words] = flush
      await must(stage.parts.kernel, anyCommand([program!, ...words]))
      await stage.call('ADD', { mappings: [{ ...TCP, hostPort: 8082 }], config, pod: stage.pods[1] })
      expect(await reach('outside', NODE.ip4, 8082)).toBe('two')
      await stage.call('DEL')
      await stage.call('DEL', { pod: stage.pods[1] })
      expect((await stage.rulesWith(mark)).filter(line => !line.startsWith(':'))).toEqual([])
    })

    test('GC keeps valid attachments, and does nothing where none were named', async () => {
      await open()
      await stage.call('ADD', { mappings: [TCP], config })
      await stage.call('ADD', { mappings: [{ ...TCP, hostPort: 8082 }], config, pod: stage.pods[1] })
      await stage.call('GC')
      expect(await reach('outside', NODE.ip4)).toBe('one')
      await stage.call('GC', { valid: [{ container: 'two', ifname: 'eth0' }] })
      expect(await reach('outside', NODE.ip4)).toBe('refused')
      expect(await reach('outside', NODE.ip4, 8082)).toBe('two')
      await stage.call('GC', { valid: [] })
      expect(await stage.rulesWith(mark)).toEqual([])
    })

    test('pods that start at once do not harm each other', async () => {
      await open()
      const ports = Array.from({ length: 8 }, (_, i) => 9100 + i)
      await Promise.all(
        ports.map(hostPort =>
          stage.call('ADD', { mappings: [{ ...TCP, hostPort }], config, ifname: `eth${hostPort}` }),
        ),
      )
      for (const port of ports) expect(await reach('outside', NODE.ip4, port)).toBe('one')
      await Promise.all(ports.map(port => stage.call('DEL', { ifname: `eth${port}` })))
      expect(await stage.rulesWith(mark)).toEqual([])
    })
  },
)

describe.skipIf(why !== undefined)(`beside the reference plugin${why ? ` (skipped: ${why})` : ''}`, () => {
  let stage: PortmapStage

  beforeEach(async () => {
    stage = await openPortmapStage(hostKernel())
    for (const pod of stage.pods) await pod.listen('tcp', 80)
  })
  afterEach(() => stage.end())

  const reference = async (command: 'ADD' | 'DEL'): Promise<void> => {
    const [pod] = stage.pods
    const prevResult = printed(resultOf(pod))
    const input = {
      cniVersion: '1.0.0',
      name: 'mynet',
      type: 'portmap',
      runtimeConfig: { portMappings: [TCP] },
      prevResult,
    }
    const words = [
      'CNI_COMMAND',
      command,
      'CNI_CONTAINERID',
      pod.name,
      'CNI_IFNAME',
      'eth0',
      'CNI_PATH',
      '/usr/lib/cni',
    ]
    const env = Object.fromEntries(words.flatMap((word, i) => (i % 2 === 0 ? [[word, words[i + 1]!]] : [])))
    const CNI_NETNS = `/run/netns/${pod.namespace}`
    const call = anyCommand(['/usr/lib/cni/portmap'], { input: JSON.stringify(input), env: { ...env, CNI_NETNS } })
    await must(stage.lab.node.kernel, call)
  }
  const reached = async (): Promise<boolean> =>
    (await stage.lab.outside.connect({ to: NODE.ip4, port: 8080, timeoutMs: SOON_MS })).ok

  test('what it mapped, our DEL takes back', async () => {
    await reference('ADD')
    expect(await reached()).toBe(true)
    await stage.call('DEL')
    expect(await reached()).toBe(false)
    expect(await stage.rulesWith('CNI-DN-')).toEqual([])
  })

  test('what we mapped, its DEL takes back', async () => {
    await stage.call('ADD', { mappings: [TCP], config: { backend: 'iptables' } })
    expect(await reached()).toBe(true)
    await reference('DEL')
    expect(await reached()).toBe(false)
    expect(await stage.rulesWith('CNI-DN-')).toEqual([])
  })

  test('our GC takes back what it mapped for pods that are gone', async () => {
    await reference('ADD')
    await stage.call('GC', { valid: [{ container: 'one', ifname: 'eth0' }] })
    expect(await reached()).toBe(true)
    await stage.call('GC', { valid: [] })
    expect(await reached()).toBe(false)
  })
})

/** As version 1.0.0 has it. */
function printed({ interfaces, ips }: CniResult): unknown {
  const addresses = ips.map(({ address, prefixLength, ...rest }) => ({
    ...rest,
    address: `${address}/${prefixLength}`,
  }))
  return { cniVersion: '1.0.0', interfaces, ips: addresses, dns: {} }
}
