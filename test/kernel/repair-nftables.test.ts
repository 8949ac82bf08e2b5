import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { systemClock } from '#system/clock.ts'
import { endpoint, port, service, slice, slicePort } from '../support/objects.ts'
import { Rig } from './agent-rig.ts'
import { whyNot } from './ground.ts'

// Another program touches our nftables table while traffic flows: how long until it is as it should be.

const why = await whyNot(['ip', 'nft', 'conntrack'])
const HERE = { nodeName: 'here' }

describe.skipIf(why !== undefined)(
  `an nftables table that another program has touched${why ? ` (skipped: ${why})` : ''}`,
  () => {
    let rig: Rig
    let client: Host
    beforeAll(async () => {
      const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
      rig = await Rig.open({
        pods: [pod('web', 3), pod('client', 9)],
        flags: ['--proxy-mode=nftables'],
        objects: [
          service('shop/web', ['10.96.0.10', 'fd10:96::10'], { ports: [port({ port: 80, nodePort: 30080 })] }),
          slice('shop/web-4', 'shop/web', [endpoint('10.244.1.3', HERE)], { ports: [slicePort(8080)] }),
          slice('shop/web-6', 'shop/web', [endpoint('fd00:244:1::3', HERE)], { ports: [slicePort(8080)] }),
        ],
      })
      await rig.lab.pods[0]!.listen('tcp', 8080)
      client = rig.lab.pods[1]!
    })
    afterAll(() => rig?.close())

    test.each([
      ['a deleted table', 'delete table ip kube-proxy'],
      ['a deleted IPv6 table', 'delete table ip6 kube-proxy'],
      ['a ruleset flushed altogether', 'flush ruleset'],
      ['a deleted element', 'delete element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 }'],
      ['an emptied chain', 'flush chain ip kube-proxy services'],
      ['a foreign rule in our chain', 'insert rule ip kube-proxy services return'],
      ['a foreign set', 'add set ip kube-proxy theirs { type ipv4_addr ; }'],
      ['a foreign element', 'add element ip kube-proxy cluster-ips { 10.96.7.7 }'],
    ])('%s is put right at once', async (what, change) => {
      const before = await tables()
      const startedAt = systemClock.now()
      const { code, stderr } = await rig.lab.node.kernel.run(anyCommand(['nft', change]))
      expect([code, stderr]).toEqual([0, ''])
      await untilServed()
      const tookMs = systemClock.now() - startedAt
      console.log(`${what}: traffic flowed again after ${tookMs.toFixed(0)} ms`)
      await rig.settled()
      expect(await tables()).toEqual(before)
      expect(rig.logged.filter(line => line.includes('Another program had changed our rules')).length).toBeGreaterThan(
        0,
      )
    })

    test('what we write ourselves raises no alarm', async () => {
      const seen = rig.reports.length
      for (const n of [3, 4, 3]) {
        await rig.put(slice('shop/web-4', 'shop/web', [endpoint(`10.244.1.${n}`, HERE)], { ports: [slicePort(8080)] }))
        await systemClock.sleep(400)
      }
      expect(rig.reports.slice(seen).filter(({ looked, doubted }) => looked || doubted > 0)).toEqual([])
    })

    /** What the kernel has, in an order that does not depend on when it came. */
    async function tables(): Promise<readonly string[]> {
      const listings = await Promise.all(
        ['ip', 'ip6'].map(family =>
          rig.lab.node.kernel.run(anyCommand(['nft', '-j', 'list', 'table', family, 'kube-proxy'])),
        ),
      )
      return listings.map(({ stdout }) => {
        const { nftables } = JSON.parse(stdout) as { readonly nftables: readonly object[] }
        return nftables
          .map(one => JSON.stringify(one, inOrder))
          .sort()
          .join('\n')
      })
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

/** Handles count up with each write, and elements come in any order. */
function inOrder(key: string, value: unknown): unknown {
  if (key === 'handle') return undefined
  return key === 'elem' && Array.isArray(value) ? value.map(one => JSON.stringify(one)).sort() : value
}
