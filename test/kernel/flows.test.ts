import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { endpoint, ip, port, service, slice, slicePort } from '../support/objects.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// UDP has no end that the kernel can see: a client that goes on sending from one port stays where it was, unless the
// kernel is made to forget it.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])
const DNS = service('shop/dns', ['10.96.0.53'], { ports: [port({ port: 53, protocol: 'udp', nodePort: 30053 })] })
const pods = (...numbers: readonly number[]): ClusterObject =>
  slice(
    'shop/dns-1',
    'shop/dns',
    numbers.map(n => endpoint(`10.244.1.${n}`, { nodeName: 'here' })),
    {
      family: 'ipv4',
      ports: [slicePort(5353, '', 'udp')],
    },
  )

describe.skipIf(why !== undefined).each(['over netlink', 'by conntrack'] as const)(
  `connections that outlive what they went to, forgotten %s${why ? ` (skipped: ${why})` : ''}`,
  forgets => {
    let rig: Rig
    let client: Host
    beforeAll(async () => {
      const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
      rig = await Rig.open({
        pods: [pod('dns-3', 3), pod('dns-4', 4), pod('client', 9)],
        objects: [DNS, pods(3)],
        forgets,
      })
      for (const host of rig.lab.pods.slice(0, 2)) await host.listen('udp', 5353)
      client = rig.lab.pods[2]!
    })
    afterAll(() => rig?.close())

    /** From the same port each time, as a resolver that keeps its socket. */
    const ask = async (from: Host, to: string, number = 53, timeoutMs = 10_000): Promise<string> => {
      const outcome = await from.connect({ protocol: 'udp', to, port: number, sourcePort: 40_053, timeoutMs })
      return outcome.ok ? outcome.answer.name : outcome.error
    }

    test('a client whose endpoint goes is sent to another, at the cluster IP and at the node port', async () => {
      expect(await ask(client, '10.96.0.53')).toBe('dns-3')
      expect(await ask(rig.lab.outside, '10.99.0.2', 30053)).toBe('dns-3')
      await rig.put(pods(4))
      expect(await ask(client, '10.96.0.53')).toBe('dns-4')
      expect(await ask(rig.lab.outside, '10.99.0.2', 30053)).toBe('dns-4')
    })

    test('a client whose endpoint stays keeps it when another comes', async () => {
      await rig.put(pods(3, 4))
      for (let i = 0; i < 5; i++) expect(await ask(client, '10.96.0.53')).toBe('dns-4')
    })

    test('a client of a Service that lost its last endpoint is refused', async () => {
      await rig.put(pods())
      expect(await ask(client, '10.96.0.53')).toBe('refused')
      await rig.put(pods(3))
      expect(await ask(client, '10.96.0.53')).toBe('dns-3')
    })

    test('a client that asked before the Service had that address is let in when it has', async () => {
      expect(await ask(client, '198.18.0.53', 53, 500)).not.toBe('dns-3')
      await rig.put({ ...DNS, externalIPs: [ip('198.18.0.53')] })
      expect(await ask(client, '198.18.0.53')).toBe('dns-3')
    })

    test('a connection to the same port number of another host is not touched', async () => {
      await rig.lab.outside.listen('udp', 30053, { name: 'another host' })
      const opened = await rig.lab.node.open({ protocol: 'udp', to: '10.99.0.1', port: 30053 })
      if (!opened.ok) throw new Error(opened.error)
      await opened.stream.send('hello')
      const flows = async (): Promise<number> => {
        const { stdout } = await rig.lab.node.kernel.run(
          anyCommand(['conntrack', '-L', '-p', 'udp', '--orig-dst', '10.99.0.1']),
        )
        return stdout.split('\n').filter(line => line.includes('dport=30053')).length
      }
      expect(await flows()).toBe(1)
      await rig.put(pods(4))
      expect(rig.reports.some(({ flows }) => flows.forgotten > 0)).toBe(true)
      expect(await flows()).toBe(1)
      await opened.stream.close()
    })

    test('one that was not answered before its Service came does not stay in the way of the next', async () => {
      const dial = { to: '10.96.0.80', port: 80, sourcePort: 40_080, timeoutMs: 300 }
      expect(await rig.lab.outside.connect(dial)).toMatchObject({ ok: false })
      await rig.lab.pods[0]!.listen('tcp', 8080)
      const http = { family: 'ipv4', ports: [slicePort(8080)] } as const
      const web = slice('shop/web-1', 'shop/web', [endpoint('10.244.1.3', { nodeName: 'here' })], http)
      await rig.put(service('shop/web', ['10.96.0.80']), web)
      expect(await rig.lab.outside.connect({ ...dial, timeoutMs: 10_000 })).toMatchObject({ ok: true })
    })

    test('take a process only where there is no netlink', () => {
      const programs = new Set(rig.commands.filter(({ does }) => does === 'conntrack').map(({ argv }) => argv[0]))
      expect([...programs]).toEqual(forgets === 'over netlink' ? [] : ['conntrack', 'sh'])
    })
  },
)
