import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { type DhcpServer, servingDhcp } from './dhcp-server.ts'
import { Installation, PodsNode, type RunningDaemon } from './pods-node.ts'
import { cannotCompile } from './shim.ts'

// A lease of a DHCP server, as the daemon that is shipped gets it, renews it and ends it.

const why = cannotRun('dnsmasq', 'nsenter', 'unshare') ?? cannotCompile()

const CONFIG = { cniVersion: '1.0.0', name: 'lan', type: 'bridge', bridge: 'cni0', ipam: { type: 'dhcp' } }

describe.skipIf(why !== undefined)(`the daemon and a DHCP server${why ? ` (skipped: ${why})` : ''}`, () => {
  let installation: Installation
  let node: PodsNode
  let server: DhcpServer | undefined

  beforeAll(async () => {
    installation = new Installation()
    node = await PodsNode.start(installation)
    node.flags = ['-v=2']
    server = await servingDhcp(node)
  })
  afterAll(async () => {
    await server?.end()
    await node?.stop()
    installation?.remove()
  })

  /** It looks for what is due every five seconds. */
  const logged = ({ lines }: RunningDaemon, text: string) =>
    expect.poll(() => lines.join('\n'), { timeout: 30_000 }).toContain(text)

  test('a lease outlives the daemon, is renewed by the next one, and ends with its pod', async () => {
    const first = await node.startDaemon()
    const netns = node.pod('blue')
    const { code, stdout } = await node.call('bridge', { command: 'ADD', container: 'blue', netns, config: CONFIG })
    expect([code, JSON.parse(stdout).ips]).toMatchObject([
      0,
      [{ address: expect.stringMatching(/^10\.77\.0\.\d+\/24$/) }],
    ])
    first.kill('SIGKILL')
    await first.ended
    server!.forgetSaid()
    node.change('UPDATE dhcp SET due = 0')
    const second = await node.startDaemon()
    await logged(second, 'became="renewed"')
    await server!.heard(/DHCPACK/)
    expect(server!.said).not.toMatch(/DHCPDISCOVER/)
    node.run('ip', 'netns', 'delete', 'blue')
    node.change('UPDATE dhcp SET due = 0')
    await logged(second, 'became="ended"')
    await server!.heard(/DHCPRELEASE/)
    second.kill('SIGTERM')
    expect(await second.ended).toBe(0)
  })
})
