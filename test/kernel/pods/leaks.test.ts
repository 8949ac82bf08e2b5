import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { nodeForEach } from './node-for-each.ts'
import type { PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'
import { vanish } from './vanished.ts'

// Pods that are gone without a DEL, on a node of its own: all that was made for them is taken back, and nothing of the others.

const why = cannotRun('iptables', 'nft', 'nsenter', 'unshare') ?? cannotCompile()

const BRIDGE = {
  cniVersion: '1.0.0',
  name: 'mynet',
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  ipMasq: true,
  macspoofchk: true,
  ipam: { type: 'host-local', subnet: '10.244.0.0/16', routes: [{ dst: '0.0.0.0/0' }] },
}
const PORTMAP = { cniVersion: '1.0.0', name: 'mynet', type: 'switchyard', plugin: 'portmap' }

describe.skipIf(why !== undefined)(`leaked pods${why ? ` (skipped: ${why})` : ''}`, () => {
  let node: PodsNode
  nodeForEach(started => {
    node = started
  })

  async function attach(container: string, hostPort?: number): Promise<void> {
    node.pod(container)
    const call = { command: 'ADD', container, netns: `/run/netns/${container}` }
    const { code, stdout } = await node.call('bridge', { ...call, config: BRIDGE })
    expect(code).toBe(0)
    if (hostPort === undefined) return
    const runtimeConfig = { portMappings: [{ hostPort, containerPort: 80, protocol: 'tcp' }] }
    const config = { ...PORTMAP, prevResult: JSON.parse(stdout), runtimeConfig }
    expect(await node.call('switchyard', { ...call, config })).toMatchObject({ code: 0 })
  }

  async function until(isSo: () => boolean): Promise<void> {
    await expect.poll(isSo, { timeout: 60_000, interval: 20 }).toBe(true)
  }

  const rules = () =>
    (node.run('iptables-save', '-t', 'nat') + node.run('nft', 'list', 'ruleset', 'bridge')).replaceAll(/^#.*$/gm, '')
  const minutes = (count: number) => node.age(count * 60_000)

  test('ipam gc --free takes back address, rules and host ports, in the third round', async () => {
    await node.startDaemon()
    await attach('blue', 8080)
    await attach('green', 8081)
    const whole = rules()
    expect(whole.match(/10\.244\.0\.2/g)).not.toBeNull()
    expect(whole).toContain('--dport 8080')
    await vanish(node, 'blue')
    minutes(2)
    for (const round of ['1 of 3 rounds', '2 of 3 rounds']) {
      expect(node.ipam('gc', '--free')).toMatchObject({ status: 0, stdout: expect.stringContaining(round) })
      expect(rules()).toBe(whole)
      minutes(1)
    }
    expect(node.ipam('check').status).toBe(1)
    expect(node.ipam('gc', '--free').stdout).toMatch(/^10\.244\.0\.2 .* FREED .* in 3 rounds$/m)
    expect(node.held()).toEqual(['mynet green'])
    const left = rules()
    expect(left.match(/10\.244\.0\.2\b|8080|blue/g)).toBeNull()
    expect(left.match(/10\.244\.0\.3\b/g)).not.toBeNull()
    expect(left).toContain('--dport 8081')
    expect(left.match(/green/g)).not.toBeNull()
    expect(node.healthzFrom('green', '10.244.0.1')).toMatch(/^HTTP\/1.1 200 /)
    expect(node.ipam('check')).toMatchObject({ status: 0, stdout: '1 attachment: 1 in use\n' })
  })

  test('the daemon does so by itself where it is asked to, and says what it did', async () => {
    node.flags = ['--leaks=free']
    const first = await node.startDaemon()
    await attach('blue')
    await attach('green')
    first.kill('SIGKILL')
    await first.ended
    await vanish(node, 'blue')
    minutes(2)
    // Two rounds of daemons before.
    for (let i = 0; i < 2; i++) {
      node.ipam('gc', '--free')
      minutes(1)
    }
    const daemon = await node.startDaemon()
    await until(() => daemon.lines.some(line => line.includes('Leaked lease freed')))
    expect(daemon.lines.join('\n')).toMatch(
      /"Leaked lease freed" ips=\["10\.244\.0\.2"\] network="mynet" container="blue" ifname="eth0" why=".*, in 3 rounds"/,
    )
    expect(node.held()).toEqual(['mynet green'])
    daemon.kill('SIGTERM')
    expect(await daemon.ended).toBe(0)
  })

  test('after a start of the machine, what is gone is free at once, and a pod that is still there keeps its address', async () => {
    const first = await node.startDaemon()
    for (const name of ['a', 'b', 'c']) await attach(name)
    first.kill('SIGKILL')
    await first.ended
    await vanish(node, 'a')
    await vanish(node, 'c')
    node.change("UPDATE lease SET boot = 'another'")
    minutes(2)
    expect(node.ipam('gc').stdout.match(/ LEAKED /g)).toHaveLength(2)
    const daemon = await node.startDaemon()
    await until(() => node.held().length < 2)
    expect(node.held()).toEqual(['mynet b'])
    expect(node.healthzFrom('b', '10.244.0.1')).toMatch(/^HTTP\/1.1 200 /)
    await until(() => daemon.lines.some(line => line.includes('"Released leases of an earlier boot" count=2')))
  })

  test('a pod whose path is gone keeps its address for as long as a process is in it', async () => {
    await node.startDaemon()
    await attach('blue')
    const [enter, ...words] = node.within(['ip', 'netns', 'exec', 'blue', 'cat'])
    const inside = spawn(enter, words, { stdio: ['pipe', 'pipe', 'inherit'] })
    inside.stdin.write('x')
    await once(inside.stdout, 'data')
    node.run('ip', 'netns', 'delete', 'blue')
    minutes(2)
    const links = node.links().length
    expect(node.ipam('check')).toMatchObject({ status: 0, stdout: '1 attachment: 1 in use\n' })
    inside.stdin.end()
    await until(() => node.links().length < links)
    expect(node.ipam('gc').stdout).toMatch(/^10\.244\.0\.2 .* SUSPECT /m)
  })

  test('an address that a pod goes on using after its release is given to no other', async () => {
    node.flags = ['--leaks=free']
    await node.startDaemon()
    const host = { ...BRIDGE, ipam: { ...BRIDGE.ipam, subnet: '10.244.0.0/29' } }
    const add = (container: string) =>
      node.call('bridge', { command: 'ADD', container, netns: node.pod(container), config: host })
    await add('blue')
    const call = { command: 'DEL', container: 'blue', netns: '/run/netns/blue', config: host }
    expect(await node.call('host-local', call)).toMatchObject({ code: 0 })
    expect(node.ipam('check')).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(
        /^10\.244\.0\.2 .* CONFLICT .*in use on eth0 in \/run\/netns\/blue without a lease$/m,
      ),
    })
    node.ipam('gc', '--free')
    expect(node.ipam('ls').stdout).toMatch(/^10\.244\.0\.2 +CONFLICT/m)
    node.change("UPDATE lease SET until = 1 WHERE state = 'cooldown'")
    // Six fit: one is the gateway's, and one is in use.
    for (const container of ['c', 'd', 'e', 'f']) expect((await add(container)).code).toBe(0)
    const { code, stdout } = await add('g')
    expect([code, stdout]).toEqual([1, expect.stringContaining('no IP addresses available in range set')])
    await vanish(node, 'blue')
    node.ipam('gc', '--free')
    expect(
      (await node.call('bridge', { command: 'ADD', container: 'g', netns: '/run/netns/g', config: host })).stdout,
    ).toContain('10.244.0.2/')
  })
})
