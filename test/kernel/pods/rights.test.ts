import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, type TestContext, test } from 'vitest'
import type { SeenRequest } from '#lab/api-server/server.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { kustomized } from '../../manifests/kustomized.ts'
import { allowedBy, compared } from '../../manifests/roles.ts'
import { cannotRun } from '../namespace.ts'
import { installedOnce } from './node-for-each.ts'
import { PodsNode } from './pods-node.ts'
import { cannotCompile } from './shim.ts'
import { vanish } from './vanished.ts'

// The daemon as it is shipped beside an API server, on a node whose addresses run out, where one pod goes without a DEL and another
// takes an address that is not its own: all of it becomes Events, and its role allows all that was asked.

const why = cannotRun('nsenter', 'unshare') ?? cannotCompile()
const API = fileURLToPath(new URL('../api-program.ts', import.meta.url))
const MANIFESTS = new URL('../../../manifests/', import.meta.url)
const EVENTS = '/apis/events.k8s.io/v1/events'

/** Three addresses and the gateway. */
const NETWORK = {
  ...{ cniVersion: '1.0.0', name: 'mynet', type: 'bridge', bridge: 'cni0', isGateway: true },
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.244.0.0/29', rangeEnd: '10.244.0.4' }]] },
}

interface Said {
  readonly reason: string
  readonly regarding: { readonly kind: string; readonly name: string; readonly uid?: string }
}

/** Each with a node and an API server of its own, at the same time: most of theirs is waiting. */
const ABOUT = ['what it finds', 'ranges from node', 'ranges from ring'] as const
const title = `the pods' daemon and its role: %s${why ? ` (skipped: ${why})` : ''}`

describe.skipIf(why !== undefined).each(ABOUT)(title, { concurrent: true }, about => {
  const installation = installedOnce()
  let expect: TestContext['expect']
  let node: PodsNode
  let api: Child
  const lines: string[] = []
  beforeEach(async context => {
    expect = context.expect
    node = await PodsNode.start(installation())
    lines.length = 0
    const argv = node.within([process.execPath, API, JSON.stringify({ options: {}, objects: NODES })])
    api = startChild({ argv, onLine: line => lines.push(line) })
    await expect.poll(() => lines.length, SOON).toBe(1)
    node.flags = [`--master=${lines[0]}`, '--hostname-override=node-1', '--leaks-period=30s']
  })
  afterEach(async () => {
    await node.stop()
    await api.stop()
  })

  const call = (command: string, container: string) => ({
    ...{ command, container, netns: `/run/netns/${container}`, config: NETWORK },
    env: { CNI_ARGS: `K8S_POD_NAMESPACE=default;K8S_POD_NAME=${container};K8S_POD_UID=uid-${container}` },
  })

  async function attach(container: string): Promise<void> {
    node.pod(container)
    expect(await node.call('bridge', call('ADD', container))).toMatchObject({ code: 0 })
  }

  /** From within the node. */
  function page(at: string, path: string): string {
    const ask = `exec 3<>/dev/tcp/${at.replace(':', '/')}; printf 'GET ${path} HTTP/1.0\\r\\n\\r\\n' >&3; cat <&3`
    const answer = node.run('timeout', '30', 'bash', '-c', ask)
    return answer.slice(answer.indexOf('\r\n\r\n'))
  }

  const events = () => (JSON.parse(page(lines[0]!.replace('http://', ''), EVENTS)) as { items: Said[] }).items

  function roundsDone(): number {
    const found = /^switchyard_ipam_leak_rounds_total\{result="done"\} (\d+)$/m.exec(
      page('127.0.0.1:10245', '/metrics'),
    )
    return Number(found?.[1] ?? 0)
  }

  async function requests(): Promise<readonly SeenRequest[]> {
    const before = lines.length
    api.writeLine('{"requests":true}')
    await expect.poll(() => lines.length, SOON).toBe(before + 1)
    const all = JSON.parse(lines.at(-1)!) as readonly SeenRequest[]
    // Ours, from above.
    return all.filter(({ path, method }) => !(path === EVENTS && method === 'GET'))
  }

  if (about === 'what it finds')
    test('what is asked is allowed, and each thing is said once', async () => {
      const first = await node.startDaemon()
      for (const container of ['a', 'b', 'c']) await attach(container)
      await expect.poll(() => events().map(({ reason }) => reason), SOON).toEqual(['AddressesExhausted'])
      // `b` is gone; `c` takes what `a` has.
      await vanish(node, 'b')
      node.run('ip', '-n', 'c', 'address', 'add', '10.244.0.2/29', 'dev', 'eth0')
      first.kill('SIGTERM')
      await first.ended
      // Events are on their way when a round is done, and a daemon that ends takes no time for them.
      for (const heard of [4, 4, 5]) {
        node.age(120_000)
        const daemon = await node.startDaemon()
        await expect.poll(roundsDone, SOON).toBeGreaterThan(0)
        await expect.poll(() => events().length, SOON).toBe(heard)
        daemon.kill('SIGTERM')
        await daemon.ended
      }
      const said = events().map(({ reason, regarding: { kind, name, uid } }) => `${reason} ${kind} ${name} ${uid}`)
      expect(said.sort()).toEqual([
        'AddressConflict Pod a uid-a',
        'AddressConflict Pod c uid-c',
        // When they ran out, and at the first start that found it so.
        'AddressesExhausted Node node-1 node-1',
        'AddressesExhausted Node node-1 node-1',
        'LeakedAddressesFound Node node-1 node-1',
      ])
      expect(compared(allowedIn('pods'), await requests())).toEqual({ forbidden: [], unused: [] })
    }, 300_000)

  if (about !== 'what it finds')
    test('what is asked for them and for routes is allowed', async () => {
      const from = about === 'ranges from ring' ? 'ring' : 'node'
      const of = from === 'ring' ? ['--ipalloc-init=seed=node-1'] : []
      node.flags = [...node.flags, `--ranges-from=${from}`, '--conf-dir=/run/net.d', ...of]
      node.run('mkdir', '/run/net.d')
      // Left behind by another network.
      node.run('touch', '/run/net.d/10-flannel.conflist')
      const daemon = await node.startDaemon()
      await expect.poll(() => node.succeeds('test', '-e', '/run/net.d/10-switchyard.conflist'), SOON).toBe(true)
      const warned = /"Runtimes take another network configuration" taken="10-flannel.conflist"/
      await expect.poll(() => daemon.lines.join('\n'), SOON).toMatch(warned)
      node.pod('a')
      const list = JSON.parse(node.run('cat', '/run/net.d/10-switchyard.conflist'))
      const config = { ...list.plugins[0], name: list.name, cniVersion: list.cniVersion }
      expect(await node.call('switchyard', { ...call('ADD', 'a'), config })).toMatchObject({ code: 0 })
      await expect.poll(async () => (await requests()).some(({ query }) => query.watch === 'true'), SOON).toBe(true)
      if (from === 'ring') {
        daemon.kill('SIGTERM')
        await daemon.ended
        // Another node joins.
        node.flags = [...node.flags, '--hostname-override=node-2']
        await node.startDaemon()
      }
      const rights = async () => compared(allowedIn(`cluster/${from}`), await requests())
      // Nothing was in doubt, nothing ran out, and this API server streams its lists.
      const unused = async () => (await rights()).unused.filter(right => !SELDOM.includes(right))
      await expect.poll(unused, SOON).toEqual([])
      await node.stopDaemons()
      expect((await rights()).forbidden).toEqual([])
    }, 180_000)
})

/** By a kustomization. */
function allowedIn(folder: string): readonly string[] {
  return allowedBy(kustomized(fileURLToPath(new URL(folder, MANIFESTS))))
}

const SELDOM = ['create events.k8s.io/events', 'list /pods', 'list /nodes']
const NODES = ['node-1', 'node-2'].map((name, i) => ({
  ...{ apiVersion: 'v1', kind: 'Node', metadata: { name, uid: `uid-${name}` } },
  spec: { podCIDR: `10.244.${i}.0/24`, podCIDRs: [`10.244.${i}.0/24`] },
  status: { addresses: [{ type: 'InternalIP', address: `192.0.2.${i + 1}` }] },
}))
const SOON = { timeout: 60_000, interval: 50 }
