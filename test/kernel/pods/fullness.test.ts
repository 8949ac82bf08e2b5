import { describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { nodeForEach } from './node-for-each.ts'
import type { PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'

// A range that runs full, before pods are refused: in the log, in the numbers, and where an operator asks.

const why = cannotRun('nsenter', 'unshare') ?? cannotCompile()

const FIVE = {
  ...{ cniVersion: '1.1.0', name: 'mynet', type: 'host-local' },
  ipam: { type: 'host-local', subnet: '10.9.0.0/29', cooldown: '0s' },
}
const PORT = 10_299

describe.skipIf(why !== undefined)(`a range that runs full${why ? ` (skipped: ${why})` : ''}`, () => {
  let node: PodsNode
  nodeForEach(started => {
    node = started
  })

  const call = (command: string, container: string, netns = `/run/netns/${container}`) =>
    node.call('host-local', { command, container, netns, config: FIVE })

  function asked(path: string): string {
    const request = `GET ${path} HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n`
    const ask = `until exec 3<>/dev/tcp/127.0.0.1/${PORT}; do sleep 0.1; done; printf '${request}' >&3; cat <&3`
    return node.run('timeout', '30', 'bash', '-c', ask)
  }

  function numbers(): readonly string[] {
    const lines = asked('/metrics').split('\n')
    return lines.filter(line => line.startsWith('switchyard_ipam_addresses{'))
  }

  /** As a person reads it. */
  function page(path: string): string {
    return asked(path)
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll(/\s+/g, ' ')
  }

  test('is reported before STATUS fails, and where it has room again', async () => {
    node.flags = [`--pods-metrics-bind-address=127.0.0.1:${PORT}`]
    const before = await node.startDaemon()
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const name of names) {
      node.pod(name)
      expect(await call('ADD', name)).toMatchObject({ code: 0 })
    }
    const of = 'family="ipv4",network="mynet",set="0"'
    expect(numbers()).toEqual([
      `switchyard_ipam_addresses{${of},state="cooling"} 0`,
      `switchyard_ipam_addresses{${of},state="elsewhere"} 0`,
      `switchyard_ipam_addresses{${of},state="free"} 0`,
      `switchyard_ipam_addresses{${of},state="used"} 5`,
    ])
    await expect.poll(() => page('/page/calls')).toContain('ADD host-local done container e mynet 10.9.0.6/29')
    before.kill('SIGTERM')
    await before.ended
    // One that begins counts at once, where this one would have done so within ten seconds.
    const daemon = await node.startDaemon()
    const log = () => daemon.lines.join('\n')
    await expect
      .poll(log, { timeout: 60_000 })
      .toMatch(/"Range set is full" network="mynet" set=0 range="10.9.0.1-10.9.0.6" full="100%" used=5/)
    expect(page('/')).toContain('Network mynet has no free address: the next pod gets none.')
    expect(page('/page/addresses')).toContain('10.9.0.6 assigned')
    expect(page('/page/ranges')).toMatch(/mynet 10\.9\.0\.0\/29 \(10\.9\.0\.1–10\.9\.0\.6\) 5 0 0 5/)
    const status = await node.call('host-local', { command: 'STATUS', config: FIVE })
    expect(JSON.parse(status.stdout)).toMatchObject({ code: 50 })
    expect(node.ipam('status').status).toBe(1)
    for (const name of ['a', 'b']) await call('DEL', name)
    await expect.poll(log, { timeout: 60_000 }).toMatch(/"Range set has room again" .* full="60%"/)
    expect([node.ipam('status').status, node.ipam('next').stdout]).toEqual([0, expect.stringMatching(/ 10\.9\.0\.2 /)])
    const who = node.ipam('who', '10.9.0.2').stdout
    expect(who).toMatch(/^10\.9\.0\.2: FREE in network mynet\n\nBefore:\n.*\n.* a +eth0 +mynet +DEL\n$/)
    // Its namespace is there, and the address on none of its interfaces: only IPAM was called.
    expect(node.ipam('release', '10.9.0.4', '--force').stdout).toMatch(
      /^10\.9\.0\.4 of container c eth0, .*: released;/,
    )
  })
})
