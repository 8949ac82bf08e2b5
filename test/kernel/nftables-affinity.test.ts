import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import { systemClock } from '#system/clock.ts'
import { modeOf } from '../proxy/modes/nftables/scene.ts'
import { endpoint, service, slice } from '../support/objects.ts'
import { whyNot } from './ground.ts'
import { Lanes } from './lanes.ts'

// Who is in an affinity set, and for how long, only the kernel knows: it is asked.

const HERE = { nodeName: 'here' }
const pod = (name: string, n: number) => ({ name, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` })
const WORDS = [
  { family: 'IPv4', table: 'ip', own: 'ip4', vip: '10.96.0.10', pods: ['10.244.1.3', '10.244.1.4'] },
  { family: 'IPv6', table: 'ip6', own: 'ip6', vip: 'fd10:96::10', pods: ['fd00:244:1::3', 'fd00:244:1::4'] },
] as const

interface Listed {
  readonly nftables: readonly { readonly set?: { readonly name: string; readonly elem?: readonly Remembered[] } }[]
}

interface Remembered {
  readonly elem: { readonly val: string; readonly expires: number }
}

const why = await whyNot(['ip', 'nft', 'conntrack'])

describe.skipIf(why !== undefined)(`clients that nftables remembers${why ? ` (skipped: ${why})` : ''}`, () => {
  let lanes: Lanes
  let client: Host
  beforeAll(async () => {
    lanes = await Lanes.open([pod('web-1', 3), pod('web-2', 4), pod('client', 9)], modeOf)
    const [web1, web2, other] = lanes.lab.pods as [Host, Host, Host]
    for (const web of [web1, web2]) await web.listen('tcp', 8080)
    client = other
  })
  afterAll(() => lanes?.close())

  describe.each(WORDS)('$family', ({ family, table, own, vip, pods }) => {
    const name = `shop/${family.toLowerCase()}`
    const sticky = (stickySeconds: number) => service(name, [vip], { stickySeconds })

    async function visited(): Promise<string> {
      const outcome = await client.connect({ to: vip, port: 80 })
      return outcome.ok ? outcome.answer.name : outcome.error
    }

    /** How long the client will still be remembered: one endpoint's set has it, and only one. */
    async function secondsLeft(): Promise<number> {
      const argv = ['nft', '-j', 'list', 'table', table, 'kube-proxy'] as const
      const { nftables } = JSON.parse((await lanes.lab.node.kernel.run(anyCommand(argv))).stdout) as Listed
      const clients = nftables
        .filter(({ set }) => set?.name.includes(`-${name}/`))
        .flatMap(({ set }) => set?.elem ?? [])
      expect(clients.map(({ elem }) => elem.val)).toEqual([client[own]])
      return clients[0]!.elem.expires
    }

    test('stay where they were, by their last visit, also when the time is changed', async () => {
      const ends = pods.map(address => endpoint(address, HERE))
      await lanes.put(sticky(600), slice(`${name}-1`, name, ends))
      const first = await visited()
      expect(first).toMatch(/^web-/)
      await systemClock.sleep(2500)
      const waited = await secondsLeft()
      const afterVisit = async (): Promise<number> => {
        expect(await visited()).toBe(first)
        return secondsLeft()
      }
      await expect.poll(afterVisit).toBeGreaterThan(waited)
      await lanes.put(sticky(60))
      expect(await visited()).toBe(first)
      expect(await secondsLeft()).toBeLessThanOrEqual(60)
    })

    test('are forgotten with the endpoint they were sent to', async () => {
      const first = await visited()
      const [one, other] = first === 'web-1' ? pods : pods.toReversed()
      await lanes.put(slice(`${name}-1`, name, [endpoint(other!, HERE)]))
      expect(await visited()).not.toBe(first)
      await lanes.put(slice(`${name}-1`, name, [endpoint(one!, HERE), endpoint(other!, HERE)]))
      expect(await visited()).not.toBe(first)
      expect(await secondsLeft()).toBeLessThanOrEqual(60)
    })
  })
})
