import { afterEach, describe, expect, test } from 'vitest'
import { cannotRun } from '../../namespace.ts'
import { DhcpServer, type ServedLease, serverOn, servingDhcp } from '../dhcp-server.ts'
import { cannotRunPods, manyPods } from './network.ts'
import { runtimeForEach } from './runtime-for-each.ts'
import type { RuntimeNode, RuntimePod } from './runtime-node.ts'

// Pods of a container runtime that get their addresses from a dnsmasq on their bridge.

const why = cannotRun('dnsmasq') ?? cannotRunPods()

const OPTIONS = { provide: [{ option: 'host-name', fromArg: 'K8S_POD_NAME' }] }
const networkOf = (ipam: object) => ({
  cniVersion: '1.0.0',
  name: 'lan',
  plugins: [{ type: 'bridge', bridge: 'cni0', ipam: { type: 'dhcp', ...OPTIONS, ...ipam } }],
})
/** Leases are due after three seconds: the server lets none end before two minutes. */
const SHORT = ['--dhcp-option=option:T1,3']
/** What is asked of a server takes milliseconds. */
const IMPATIENT = networkOf({ timeout: '3s' })

describe.skipIf(why !== undefined)(
  `pods of containerd beside dnsmasq${why ? ` (skipped: ${why})` : ''}`,
  { timeout: 240_000 },
  () => {
    let node: RuntimeNode
    let server: DhcpServer
    runtimeForEach(networkOf({}), async started => {
      node = started
      server = await servingDhcp(node.node)
    })
    afterEach(() => server.end())

    /** Once the server has written it down. */
    async function leaseOf({ address }: RuntimePod): Promise<ServedLease | undefined> {
      const lease = () => server.leases().find(one => one.address === address)
      let found: ServedLease | undefined
      await expect.poll(() => (found = lease())).toBeDefined()
      return found
    }

    test('8 at once have an address each and their names with the server, which hears when they go', async () => {
      const pods = await manyPods(node, 8)
      const known = () => server.leases().map(({ address, hostName }) => `${hostName} ${address}`)
      await expect.poll(() => known().toSorted()).toEqual(pods.map(({ name, address }) => `${name} ${address}`))
      expect(new Set(pods.map(({ address }) => address)).size).toBe(8)
      const [first, last] = [pods[0]!, pods[7]!]
      expect(node.asked(first, last.address)).toBe(`pod-7 ${first.address}`)
      await Promise.all(pods.map(pod => node.end(pod)))
      // Stopped and removed: of two DELs, one has something to give back.
      await expect.poll(() => server.count(/DHCPRELEASE/)).toBe(8)
      await expect.poll(() => server.leases()).toEqual([])
      expect(server.count(/DHCPRELEASE/)).toBe(8)
      expect([node.node.held('dhcp'), node.namespaces()]).toEqual([[], []])
      expect(node.node.links()).toEqual(['lo', 'cni0', 'server'])
    })

    test('a daemon that is killed forgets no lease: the next one renews it', async () => {
      await server.end()
      server = await DhcpServer.start(serverOn(node.node, SHORT))
      const blue = await node.run('blue')
      const lease = await leaseOf(blue)
      await node.node.stopDaemons()
      server.forgetSaid()
      node.node.flags = ['-v=2']
      const { lines } = await node.node.startDaemon()
      await expect.poll(() => lines.join('\n'), { timeout: 30_000 }).toContain(`became="renewed" ip="${blue.address}"`)
      await server.heard(/DHCPACK.*blue/)
      expect(server.said).not.toMatch(/DHCPDISCOVER/)
      expect(await leaseOf(blue)).toEqual(lease)
      await node.end(blue)
      await expect.poll(() => server.leases()).toEqual([])
    })

    test('without the server a pod ends, none begins and nothing is left of it; with it again, the next one does', async () => {
      const blue = await node.run('blue')
      await server.end()
      await node.killRuntime()
      node.configure(IMPATIENT)
      await node.startRuntime()
      const begun = node.run('green').catch((error: Error) => error.message)
      await node.end(blue)
      expect(await begun).toContain('no DHCP server answered within 3 s')
      expect([node.node.held('dhcp'), node.namespaces(), await node.client.list()]).toEqual([[], [], []])
      expect(node.node.links()).toEqual(['lo', 'cni0', 'server'])
      server = await DhcpServer.start(serverOn(node.node))
      expect((await node.run('red')).address).toMatch(/^10\.77\.0\.\d+$/)
    })
  },
)
