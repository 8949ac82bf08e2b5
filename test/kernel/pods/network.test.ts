import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { commandNetworks } from '#cni/network/networks.ts'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import { netlinkNetworks } from '#system/network/netlink-networks.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { networkContract } from '../../contracts/network.ts'
import { cannotRun, type Namespace, newNamespace } from '../namespace.ts'

// Links, addresses, routes and settings of namespaces, over netlink and by commands, under one contract.

const why = cannotRun('bridge', 'nsenter', 'setpriv')
const PROGRAM = fileURLToPath(new URL('unprivileged-program.ts', import.meta.url))

describe.skipIf(why !== undefined)(`the network of a namespace${why ? ` (skipped: ${why})` : ''}`, () => {
  networkContract('over netlink', () => netlinkNetworks()!)
  networkContract('by commands', () => commandNetworks(hostKernel()))

  test('over netlink: no file stays open, whatever is done, refused or half done when a network is closed', async () => {
    const [node, pod] = [await ownNamespace('net-files'), await ownNamespace('net-files')]
    const paths = [node, pod].map(({ name }) => `/run/netns/${name}`) as [string, string]
    const files = () => readdirSync('/proc/self/fd').length
    const before = files()
    for (let round = 0; round < 10; round++) {
      const network = await netlinkNetworks()!.open(paths[0])
      await network.addVeth({ name: 'veth1' }, { name: 'eth0', namespace: paths[1] })
      for (const namespace of ['/run/netns/never-was', '/etc/hostname', paths[1]]) {
        await network.addVeth({ name: 'veth1' }, { name: 'eth0', namespace }).catch(() => {})
        await netlinkNetworks()!
          .open(namespace)
          .then(
            opened => opened.close(),
            () => {},
          )
      }
      await network.setting('ipv4/ip_forward')
      await network.changeSetting('ipv4/never', '1').catch(() => {})
      const deleted = network.deleteLink('veth1')
      network.close()
      expect(await deleted).toBe(true)
    }
    await expect.poll(files).toBe(before)
  })

  test.each(['netlink', 'commands'])('%s: without rights, all but looking is refused', async way => {
    const namespace = await ownNamespace('net-rights')
    const lost = '-net_admin,-sys_admin'
    const limits = ['--bounding-set', lost, '--inh-caps', lost]
    const program = [process.execPath, PROGRAM, way, `/run/netns/${namespace.name}`]
    const { stdout } = await must(namespace.kernel, anyCommand(['setpriv', ...limits, ...program]))
    const refused = 'NetworkRefused EPERM'
    expect(stdout.trim().split('\n')).toEqual([refused, 'done', refused, refused, refused])
  })
})

/** Gone with the test, however it ends. */
async function ownNamespace(prefix: string): Promise<Namespace> {
  const namespace = await newNamespace(prefix)
  onTestFinished(() => namespace.end())
  return namespace
}
