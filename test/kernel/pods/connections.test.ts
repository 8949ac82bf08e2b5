import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { commandConnections } from '#cni/network/connections.ts'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { ConnectionTable } from '#system/network/connections.ts'
import { netlinkConnections } from '#system/network/netlink-connections.ts'
import { parseAddress } from '#values/address.ts'
import { cannotRun, type Namespace, newNamespace } from '../namespace.ts'

// What the kernel tracks for an address goes with it, over netlink and by `conntrack`, under one contract.

const why = cannotRun('conntrack')
const ports = (from: number) =>
  Object.entries({ orig: [from, 53], reply: [53, from] }).flatMap(([way, [source, destination]]) => [
    `--${way}-port-src=${source}`,
    `--${way}-port-dst=${destination}`,
  ])
const WAYS: Readonly<Record<string, (namespace: Namespace) => ConnectionTable>> = {
  'over netlink': ({ name }) => netlinkConnections(`/run/netns/${name}`)!,
  'by conntrack': ({ kernel }) => commandConnections(kernel),
}

describe.skipIf(why !== undefined).each(Object.entries(WAYS))(
  `connections %s${why ? ` (skipped: ${why})` : ''}`,
  (_, open) => {
    let namespace: Namespace
    let table: ConnectionTable
    beforeEach(async () => {
      namespace = await newNamespace('flows')
      table = open(namespace)
    })
    afterEach(() => namespace.end())

    const forget = (...addresses: readonly string[]) => table.forget(addresses.map(text => parseAddress(text)!))
    /** A client's address and the one it asked for, and which address answers whom. */
    const track = async (client: string, asked: string, more: { by?: string; to?: string; port?: number } = {}) => {
      const { by = asked, to = client, port = 5000 } = more
      const words = ['-s', client, '-d', asked, '-r', by, '-q', to, '-p', 'udp', ...ports(port), '--timeout', '100']
      await must(namespace.kernel, anyCommand(['conntrack', '-I', ...words]))
    }
    const left = async (): Promise<readonly string[]> => {
      const outcomes = await Promise.all(
        ['ipv4', 'ipv6'].map(family => must(namespace.kernel, anyCommand(['conntrack', '-L', '-f', family]))),
      )
      const lines = outcomes.flatMap(({ stdout }) => stdout.split('\n').filter(line => line !== ''))
      return lines
        .map(line =>
          [...line.matchAll(/\b(?:src|dst)=(\S+)/g)]
            .slice(0, 2)
            .map(match => match[1])
            .join(' → '),
        )
        .sort()
    }

    test('that an address began are forgotten, and those of others are kept', async () => {
      await track('10.9.0.2', '192.0.2.1')
      await track('10.9.0.3', '192.0.2.1')
      await track('10.9.0.20', '192.0.2.1')
      for (let times = 0; times < 2; times++) {
        await forget('10.9.0.2')
        expect(await left()).toEqual(['10.9.0.20 → 192.0.2.1', '10.9.0.3 → 192.0.2.1'])
      }
    })

    test('go where a Service or masquerading stands between, too', async () => {
      await track('192.0.2.7', '10.96.0.10', { by: '10.9.0.2' })
      await track('10.9.0.2', '203.0.113.5', { to: '192.0.2.100' })
      await track('192.0.2.7', '10.96.0.10', { by: '10.9.0.3', port: 5001 })
      await forget('10.9.0.2')
      expect(await left()).toEqual(['192.0.2.7 → 10.96.0.10'])
    })

    test('of both families go, of several addresses at once, and where there are none, none go', async () => {
      await track('10.9.0.2', '192.0.2.1')
      await track('fd00:9::2', '2001:db8::1')
      await track('fd00:9::3', '2001:db8::1')
      await track('2001:db8::7', 'fd00:96::a', { by: 'fd00:9::2' })
      for (const gone of [['10.9.0.2', 'fd00:9::2'], [], ['10.9.0.9', 'fd00:9::9']]) {
        await forget(...gone)
        expect(await left()).toEqual(['fd00:9::3 → 2001:db8::1'])
      }
    })

    test('go also where there are many, and where several callers ask at once', async () => {
      const ports = Array.from({ length: 450 }, (_, i) => 2000 + i)
      const lines = ports.map(port => `-I -s 10.9.0.2 -d 192.0.2.1 -p udp --sport ${port} --dport 53 --timeout 100\n`)
      await must(namespace.kernel, anyCommand(['sh', '-c', 'cat | conntrack -R -'], { input: lines.join('') }))
      await track('10.9.0.3', '192.0.2.1')
      expect(await left()).toHaveLength(451)
      for (const pod of ['10.9.0.4', '10.9.0.5', '10.9.0.6']) await track(pod, '192.0.2.1')
      const others = ['10.9.0.3', '10.9.0.4', '10.9.0.5', '10.9.0.9'].map(address => forget(address))
      await Promise.all([forget('10.9.0.2'), ...others])
      expect(await left()).toEqual(['10.9.0.6 → 192.0.2.1'])
      await forget('10.9.0.6')
      expect(await left()).toEqual([])
    })
  },
)
