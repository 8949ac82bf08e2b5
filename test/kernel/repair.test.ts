import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { systemClock } from '#system/clock.ts'
import { endpoint, port, service, slice, slicePort } from '../support/objects.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// Another program touches our rules while traffic flows: how long until they are as they should be.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'])
const HERE = { nodeName: 'here' }

const WATCHES = ['netlink', 'nft monitor'] as const
const skipped = why ? ` (skipped: ${why})` : ''

describe.skipIf(why !== undefined).each(WATCHES)(
  `rules that another program has touched, heard over %s${skipped}`,
  hears => {
    let rig: Rig
    let client: Host
    beforeAll(async () => {
      const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
      rig = await Rig.open({
        hears,
        pods: [pod('web', 3), pod('client', 9)],
        objects: [
          service('shop/web', ['10.96.0.10', 'fd10:96::10'], { ports: [port({ port: 80, nodePort: 30080 })] }),
          slice('shop/web-4', 'shop/web', [endpoint('10.244.1.3', HERE)], { ports: [slicePort(8080)] }),
          slice('shop/web-6', 'shop/web', [endpoint('fd00:244:1::3', HERE)], { ports: [slicePort(8080)] }),
        ],
      })
      await rig.lab.pods[0]!.listen('tcp', 8080)
      client = rig.lab.pods[1]!
      if (hears === 'nft monitor') await untilHeard()
    })
    afterAll(() => rig?.close())

    test.each([
      ['a flushed nat table', ['iptables', '-t', 'nat', '-F']],
      [
        'a deleted jump',
        [
          'iptables',
          '-t',
          'nat',
          '-D',
          'PREROUTING',
          '-m',
          'comment',
          '--comment',
          'kubernetes service portals',
          '-j',
          'KUBE-SERVICES',
        ],
      ],
      ['an emptied service chain', ['iptables', '-t', 'nat', '-F', 'KUBE-SERVICES']],
      ['a foreign rule in our chain', ['iptables', '-t', 'nat', '-I', 'KUBE-SERVICES', '-j', 'RETURN']],
      ['a ruleset flushed altogether', ['nft', 'flush', 'ruleset']],
      ['a flushed IPv6 nat table', ['ip6tables', '-t', 'nat', '-F']],
    ] as const)('%s is put right at once', async (what, argv) => {
      const before = [await rig.save(), await rig.save('ip6tables-save')]
      const startedAt = systemClock.now()
      const { code } = await rig.lab.node.kernel.run(anyCommand(argv))
      expect(code).toBe(0)
      await untilServed()
      const tookMs = systemClock.now() - startedAt
      console.log(`${what}: traffic flowed again after ${tookMs.toFixed(0)} ms`)
      await rig.settled()
      expect([await rig.save(), await rig.save('ip6tables-save')]).toEqual(before)
      expect(rig.logged.filter(line => line.includes('Another program had changed our rules')).length).toBeGreaterThan(
        0,
      )
    })

    test('so is what another process does with the very program we use, while we use it', async () => {
      await rig.put(slice('shop/web-4', 'shop/web', [endpoint('10.244.1.4', HERE)], { ports: [slicePort(8080)] }))
      const restore = rig.commands.findLast(
        ({ argv }) => argv[0].startsWith('iptables') && argv[0].endsWith('-restore'),
      )!
      const before = await rig.save()
      await rig.put(slice('shop/web-4', 'shop/web', [endpoint('10.244.1.3', HERE)], { ports: [slicePort(8080)] }))
      const input = '*nat\n:KUBE-SERVICES - [0:0]\nCOMMIT\n'
      expect(await rig.lab.node.kernel.run(anyCommand(restore.argv, { input }))).toMatchObject({ code: 0 })
      await untilServed()
      await rig.put(slice('shop/web-4', 'shop/web', [endpoint('10.244.1.4', HERE)], { ports: [slicePort(8080)] }))
      expect(await rig.save()).toBe(before)
      await rig.put(slice('shop/web-4', 'shop/web', [endpoint('10.244.1.3', HERE)], { ports: [slicePort(8080)] }))
    })

    test('a client that was connecting while the nat table was empty gets through once it is full again', async () => {
      const { kernel } = rig.lab.node
      // The agent hears of it only when the first packets are on their way.
      rig.watch.hold()
      for (const tool of ['iptables', 'ip6tables']) await kernel.run(anyCommand([tool, '-t', 'nat', '-F']))
      const attempts = ['10.96.0.10', 'fd10:96::10', '10.96.0.10', 'fd10:96::10'].map(to =>
        client.connect({ to, port: 80, timeoutMs: 15_000 }),
      )
      await systemClock.sleep(300)
      rig.watch.release()
      const outcomes = await Promise.all(attempts)
      expect(outcomes.filter(({ ok }) => !ok)).toEqual([])
      const longest = Math.max(...outcomes.map(({ elapsedMs }) => elapsedMs))
      console.log(`the last client that was connecting got through after ${longest.toFixed(0)} ms`)
    })

    // On a machine with other work, `nft monitor` may print a commit of ours later than it is waited for.
    test('what we write ourselves raises no alarm', { retry: hears === 'nft monitor' ? 5 : 0 }, async () => {
      const seen = rig.reports.length
      for (const n of [3, 4, 3]) {
        await rig.put(slice('shop/web-4', 'shop/web', [endpoint(`10.244.1.${n}`, HERE)], { ports: [slicePort(8080)] }))
        await systemClock.sleep(400)
      }
      expect(rig.reports.slice(seen).filter(({ looked, doubted }) => looked || doubted > 0)).toEqual([])
    })

    /** `nft monitor` listens a while after the first rules stand: how long depends on what else the machine does. */
    async function untilHeard(): Promise<void> {
      let heard = 0
      const stop = rig.watch.listen({ commit: () => heard++, gap: () => {} })
      const end = systemClock.now() + 30_000
      while (heard === 0 && systemClock.now() < end) {
        for (const verb of ['add', 'delete'])
          await rig.lab.node.kernel.run(anyCommand(['nft', verb, 'table', 'ip', 'is-anyone-there']))
        await systemClock.sleep(50)
      }
      stop()
      expect(heard).toBeGreaterThan(0)
    }

    async function untilServed(): Promise<void> {
      const end = systemClock.now() + 30_000
      while (systemClock.now() < end) {
        const four = await client.connect({ to: '10.96.0.10', port: 80, timeoutMs: 500 })
        const six = await client.connect({ to: 'fd10:96::10', port: 80, timeoutMs: 500 })
        if (four.ok && six.ok) return
      }
      throw new Error('no traffic after half a minute')
    }
  },
)

describe.skipIf(why !== undefined)('node ports on some addresses only', () => {
  test('follow the addresses of the node as they come and go', async () => {
    const rig = await Rig.open({
      pods: [{ name: 'web', ip4: '10.244.1.3', ip6: 'fd00:244:1::3' }],
      flags: ['--nodeport-addresses=10.99.0.16/28'],
      objects: [
        service('shop/web', ['10.96.0.10'], { ports: [port({ port: 80, nodePort: 30080 })] }),
        slice('shop/web-4', 'shop/web', [endpoint('10.244.1.3', HERE)], { ports: [slicePort(8080)] }),
      ],
    })
    try {
      await rig.lab.pods[0]!.listen('tcp', 8080)
      const answers = async (to: string, timeoutMs = 5000): Promise<boolean> =>
        (await rig.lab.outside.connect({ to, port: 30080, timeoutMs })).ok
      expect(await answers('10.99.0.22')).toBe(true)
      expect(await answers('10.99.0.2', 300)).toBe(false)
      await rig.lab.node.addAddress('10.99.0.23')
      const end = systemClock.now() + 50_000
      while (!(await answers('10.99.0.23')) && systemClock.now() < end) await systemClock.sleep(50)
      expect(await answers('10.99.0.23')).toBe(true)
    } finally {
      await rig.close()
    }
  })
})
