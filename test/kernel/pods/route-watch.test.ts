import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import { openRouteWatch, type RouteWatch } from '#system/network/route-watch.ts'
import { cannotRun, type Namespace, newNamespace } from '../namespace.ts'

// What the kernel says of links, addresses and routes, and which of it concerns routes with the number 115.

const why = cannotRun()
const STATE = ['ip', '-json', 'link', 'show', 'eth0'] as const

describe.skipIf(why !== undefined)(`notices of routes${why ? ` (skipped: ${why})` : ''}`, () => {
  let namespace: Namespace
  let watch: RouteWatch

  beforeEach(async () => {
    namespace = await newNamespace('route-watch')
    await ip('link add eth0 type veth peer name far', 'link set far up', 'link set eth0 up')
    await ip('address add 192.0.2.1/24 dev eth0', 'address add 2001:db8::1/64 dev eth0 nodad')
    // The kernel says so a while after that.
    const state = async () => JSON.parse((await must(namespace.kernel, anyCommand(STATE))).stdout)[0].operstate
    await expect.poll(state).toBe('UP')
    // The kernel says that a link carries, and that an address may be used, a moment after both have been added.
    const shown = async () => (await run('ip', 'address', 'show', 'dev', 'eth0')).stdout
    await expect.poll(shown).toMatch(/state UP/)
    await expect.poll(shown).not.toMatch(/2001:db8::1.*tentative/)
    const links = new Set(['eth0'])
    watch = openRouteWatch({ protocol: 115, links: () => links, namespace: `/run/netns/${namespace.name}` })!
  })
  afterEach(async () => {
    watch.close()
    await namespace.end()
  })

  const run = (...argv: readonly [string, ...string[]]) => must(namespace.kernel, anyCommand(argv))
  const ip = (...lines: readonly string[]) =>
    must(namespace.kernel, anyCommand(['ip', '-batch', '-'], { input: `${lines.join('\n')}\n` }))

  async function isHeard(...lines: readonly string[]): Promise<boolean> {
    watch.heard()
    await ip(...lines)
    return watch.heard()
  }

  test('routes of ours that go are heard, in both families; those that come are not, we have made them', async () => {
    for (const [range, gateway] of [
      ['10.244.2.0/24', '192.0.2.2'],
      ['fd00:244:2::/64', '2001:db8::2'],
    ] as const) {
      expect(await isHeard(`route add ${range} via ${gateway} proto 115`)).toBe(false)
      expect(await isHeard(`route del ${range} via ${gateway} proto 115`)).toBe(true)
    }
    expect(watch.heard()).toBe(false)
  })

  test('routes of others that come and go are heard, but for those of other tables and the kernel’s own', async () => {
    expect(await isHeard('route add 10.244.2.0/24 via 192.0.2.9')).toBe(true)
    expect(await isHeard('route del 10.244.2.0/24 via 192.0.2.9')).toBe(true)
    expect(await isHeard('route add 10.244.2.0/24 via 192.0.2.9 table 77')).toBe(false)
  })

  test('addresses are heard, and links that packets to nodes leave by; those of pods are not', async () => {
    expect(await isHeard('address add 192.0.2.77/32 dev eth0')).toBe(true)
    expect(await isHeard('link set eth0 mtu 1400')).toBe(true)
    const pod = ['link add veth1 type veth peer name p1', 'link set p1 up', 'link set veth1 up']
    expect(await isHeard(...pod, 'address add fe80::1/64 dev veth1 nodad')).toBe(false)
    expect(await isHeard('link del veth1')).toBe(false)
    expect(await isHeard('link set eth0 down')).toBe(true)
  })
})
