import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, test } from 'vitest'
import { ringOf } from '#ipam/ring/ring-text.ts'
import { cannotRun } from '../namespace.ts'
import type { ClusterApi } from './cluster-api.ts'
import { installedOnce } from './node-for-each.ts'
import type { PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'
import { TwoNodes } from './two-nodes.ts'

// Nodes that take their ranges from the cluster, with the daemon as it is shipped: pods get addresses of their node's own range,
// also while the API server is away, and of none that the node has lost.

const why = cannotRun('iptables', 'nsenter', 'unshare') ?? cannotCompile()
const CONF_DIR = '/var/lib/net.d'
const SOON = { timeout: 40_000, interval: 100 }

describe.skipIf(why !== undefined)(`ranges of nodes${why ? ` (skipped: ${why})` : ''}`, () => {
  const installation = installedOnce()

  const configuration = (node: PodsNode) => node.path(`${CONF_DIR}/10-switchyard.conflist`)
  const isConfigured = (node: PodsNode) => existsSync(configuration(node))

  /** Of the first plugin, as a runtime reads it. */
  function plugin(node: PodsNode): object {
    const { cniVersions, name, plugins } = JSON.parse(readFileSync(configuration(node), 'utf8'))
    return { ...plugins[0], name, cniVersion: cniVersions.at(-1) }
  }

  async function call(node: PodsNode, command: string, pod?: string) {
    const where = pod === undefined ? {} : { container: pod, netns: `/run/netns/${pod}` }
    const env = { CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${pod};K8S_POD_UID=u` }
    const { stdout } = await node.call('switchyard', { command, config: plugin(node), ...where, env })
    return stdout === '' ? {} : JSON.parse(stdout)
  }

  async function attach(node: PodsNode, pod: string): Promise<string> {
    node.pod(pod)
    const { ips, code, msg, details } = await call(node, 'ADD', pod)
    return ips?.[0].address ?? `${code}: ${msg}; ${details}`
  }

  test.concurrent('of spec.podCIDRs: nothing without, pods from them, also while the API server is away, and others when they are others', async ({
    expect,
    onTestFinished,
  }) => {
    const stage = await TwoNodes.begin(installation(), { expect, onTestFinished })
    const { api, nodes } = stage
    const [node] = nodes
    api.putNode('n1', 'uid-1')
    let daemon = await stage.started(node, 'n1', `--conf-dir=${CONF_DIR}`, '--ranges-from=node')
    await expect.poll(() => daemon.lines.join('\n'), SOON).toContain('Node n1 has no spec.podCIDRs yet')
    expect(isConfigured(node)).toBe(false)
    api.putNode('n1', 'uid-1', '10.244.7.0/24', 'fd00:7::/64')
    await expect.poll(() => isConfigured(node), SOON).toBe(true)
    expect(await attach(node, 'a')).toBe('10.244.7.2/24')
    expect(await call(node, 'STATUS')).toEqual({})

    api.goAway()
    daemon.kill('SIGKILL')
    await daemon.ended
    daemon = await node.startDaemon()
    expect(await attach(node, 'b')).toBe('10.244.7.3/24')
    await expect.poll(() => daemon.lines.join('\n'), SOON).toContain('Ranges of this node could not be looked at')
    api.comeBack()

    // Removed, and added again under the same name.
    api.removeNode('n1')
    await expect
      .poll(() => call(node, 'STATUS'), SOON)
      .toMatchObject({ code: 50, details: expect.stringContaining('there is no Node n1') })
    expect(await attach(node, 'c')).toMatch(/^11: this node has no range of addresses for pods; there is no Node n1/)
    api.putNode('n1', 'uid-2', '10.244.9.0/24')
    await expect.poll(() => call(node, 'STATUS'), SOON).toEqual({})
    expect(await attach(node, 'd')).toBe('10.244.9.2/24')
    const said = () => daemon.lines.join('\n')
    await expect.poll(said, SOON).toMatch(/This node has lost ranges.*10\.244\.7\.1-10\.244\.7\.254/)
    await expect
      .poll(said, SOON)
      .toMatch(
        /A pod has an address of a range that is not this node’s any longer" address="10.244.7.2" pod="default\/a"/,
      )
    expect(node.ipam('ls').stdout).toMatch(/^10\.244\.7\.2 .*default\/a/m)
  }, 300_000)

  test.concurrent('of the ring: two nodes share it, the one that runs full gets more, and a node made anew keeps what it had', async ({
    expect,
    onTestFinished,
  }) => {
    const ring = [
      ...[`--conf-dir=${CONF_DIR}`, '--ranges-from=ring', '--ipalloc-range=10.40.0.0/26'],
      '--ipalloc-init=consensus=2',
    ]
    const stage = await TwoNodes.begin(installation(), { expect, onTestFinished })
    const { api, nodes } = stage
    const [one, two] = nodes
    for (const [name, uid] of [
      ['n1', 'uid-1'],
      ['n2', 'uid-2'],
    ] as const)
      api.putNode(name, uid)
    const first = await stage.started(one, 'n1', ...ring)
    await expect.poll(() => first.lines.join('\n'), SOON).toContain('1 of 2 nodes are there, 2 are needed')
    expect(first.lines.join('\n')).toContain('"ipalloc-range:10.40.0.0/26" init="consensus=2"')
    const second = await stage.started(two, 'n2', ...ring)
    for (const node of nodes) await expect.poll(() => isConfigured(node), SOON).toBe(true)
    expect([await attach(one, 'a0'), await attach(two, 'b0')].sort()).toEqual(['10.40.0.2/26', '10.40.0.33/26'])

    // 29 of 30, then one more than there were.
    for (let i = 1; i < 30; i++) await attach(one, `a${i}`)
    await expect.poll(() => first.lines.join('\n'), SOON).toMatch(/This node has ranges" .*gained="10\.40\.0\.(40|48)/)
    expect(await attach(one, 'more')).toMatch(/^10\.40\.0\.\d+\/26$/)

    api.goAway()
    expect(await attach(two, 'away')).toMatch(/^10\.40\.0\.3\d\/26$/)
    api.comeBack()

    second.kill('SIGTERM')
    await second.ended
    api.removeNode('n2')
    api.putNode('n2', 'uid-3')
    const again = await two.startDaemon()
    await expect.poll(() => owners(api), SOON).toContain('uid-3')
    await expect.poll(() => owners(api), SOON).not.toContain('uid-2')
    expect(await attach(two, 'anew')).toMatch(/^10\.40\.0\.3\d\/26$/)
    expect(again.lines.join('\n')).not.toContain('lost')

    await expect
      .poll(() => two.ipam('status').stdout, SOON)
      .toMatch(/^uid-3\(n2\) +\d\d IPs \(\d\d\.\d% of total\) \(3 active\)$/m)
    const master = two.flags[0]!
    // Not waited for in this process, which has the API server.
    const remove = async () => {
      const [enter, ...words] = two.within([process.execPath, installation().program, 'ipam', 'rmpeer', 'n1', master])
      const run = promisify(execFile)(enter, [...words, '--hostname-override=n2'])
      return run.then(
        ({ stdout }) => stdout,
        (error: { stderr: string }) => error.stderr,
      )
    }
    expect(await remove()).toContain('ipam rmpeer: Node n1 (uid uid-1) is there; with --force')
    first.kill('SIGTERM')
    await first.ended
    api.removeNode('n1')
    expect(await remove()).toMatch(/^n1 \(uid uid-1\): \d\d addresses are of n2 now$/m)
    await expect.poll(() => two.ipam('status').stdout, SOON).toMatch(/^uid-3\(n2\) .* 64 IPs \(100\.0% of total\)/m)
  }, 300_000)
})

function owners(api: ClusterApi): readonly string[] {
  const map = api.server.store.list('ConfigMap').find(({ metadata }) => metadata?.name === 'switchyard-ring')
  const text = (map as { data?: { ring?: string } } | undefined)?.data?.ring
  const ring = text === undefined ? undefined : ringOf(text)
  return typeof ring === 'object' ? ring.tokens.map(({ uid }) => uid) : []
}
