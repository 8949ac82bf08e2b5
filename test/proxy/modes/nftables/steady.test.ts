import { beforeEach, describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { Draft } from '#proxy/sync/draft.ts'
import { Sync } from '#proxy/sync/sync.ts'
import type { Command, Kernel } from '#system/ports.ts'
import { endpoint, name, port, service, slice } from '../../../support/objects.ts'
import { modeOf, viewOf } from './scene.ts'

// Once the rules stand, a change is one transaction of the lines it takes, and nothing is asked of the kernel.

const LIST = ['nft', '-j', 'list', 'table', 'ip', 'kube-proxy']
const ABSENT = { code: 1, stdout: '', stderr: 'Error: No such file or directory\n' }
const DONE = { code: 0, stdout: '', stderr: '' }

const ends = (...last: readonly number[]) => last.map(n => endpoint(`10.244.2.${n}`))
const cart = (...last: readonly number[]) => slice('shop/cart-1', 'shop/cart', ends(...last))
/** Services that go on needing the balancers for one, two and three endpoints. */
const others = [1, 2, 3].flatMap(n => [
  service(`other/s${n}`, [`10.96.1.${n}`], { ports: [port({ port: 80, nodePort: 30000 + n })] }),
  slice(`other/s${n}-1`, `other/s${n}`, ends(...[11, 12, 13].slice(0, n))),
])

describe('in the steady state', () => {
  let cluster: Cluster
  let commands: Command[]
  let draft: Draft
  let sync: Sync

  beforeEach(async () => {
    cluster = new Cluster()
    commands = []
    const kernel: Kernel = {
      run: async command => {
        commands.push(command)
        return command.argv.join() === LIST.join() ? ABSENT : DONE
      },
    }
    const thisNode = { family: 'ipv4' as const, nodeName: 'here', masquerade: 'from-outside' as const }
    draft = new Draft(cluster, modeOf('ipv4'), () => ({ thisNode, view: viewOf('ipv4'), addresses: [] }))
    sync = new Sync(modeOf('ipv4'), kernel, { clock: { now: () => 0 } })
    await change(service('shop/cart', ['10.96.0.10']), cart(2, 3), ...others)
    expect(commands.map(({ argv }) => argv.join(' '))).toEqual([LIST.join(' '), 'nft -f -'])
    commands.length = 0
  })

  async function change(...objects: readonly ClusterObject[]): Promise<void> {
    for (const object of objects) draft.touch(cluster.apply({ type: 'put', object }).services)
    draft.update()
    await sync.run(draft.book)
  }

  /** What the only command since then said. */
  function said(): readonly string[] {
    expect(commands.map(({ argv }) => argv.join(' '))).toEqual(['nft -f -'])
    const lines = commands[0]!.input!.trimEnd().split('\n')
    return lines.map(line => line.replace(' ip kube-proxy', ''))
  }

  const lead = (key: string, chain: string, id = 'shop/cart') => `${key} comment "${id}" : goto ${chain}`

  test('an endpoint that moves is one element', async () => {
    await change(cart(2, 9))
    expect(said()).toEqual([
      'delete element endpoints-tcp { 10.96.0.10 . 80 . 1 }',
      'add element endpoints-tcp { 10.96.0.10 . 80 . 1 : 10.244.2.9 . 8080 }',
    ])
  })

  test('an endpoint that comes is one element, and another balancer', async () => {
    await change(cart(2, 3, 4))
    expect(said()).toEqual([
      'delete element service-ips { 10.96.0.10 . tcp . 80 }',
      'add element endpoints-tcp { 10.96.0.10 . 80 . 2 : 10.244.2.4 . 8080 }',
      `add element service-ips { ${lead('10.96.0.10 . tcp . 80', 'cluster-ip-lb-tcp-3')} }`,
    ])
  })

  test('an endpoint that goes is one element, and another balancer', async () => {
    await change(cart(2))
    expect(said()).toEqual([
      'delete element service-ips { 10.96.0.10 . tcp . 80 }',
      'delete element endpoints-tcp { 10.96.0.10 . 80 . 1 }',
      `add element service-ips { ${lead('10.96.0.10 . tcp . 80', 'cluster-ip-lb-tcp-1')} }`,
    ])
  })

  test('the last endpoint that goes is a refusal', async () => {
    await change(cart())
    expect(said()).toEqual([
      'delete element endpoints-tcp { 10.96.0.10 . 80 . 0 , 10.96.0.10 . 80 . 1 }',
      'delete element service-ips { 10.96.0.10 . tcp . 80 }',
      `add element no-endpoint-services { ${lead('10.96.0.10 . tcp . 80', 'reject-chain')} }`,
    ])
  })

  test('a Service that comes is its frontends and its endpoints', async () => {
    await change(service('shop/new', ['10.96.0.11']), slice('shop/new-1', 'shop/new', ends(5)))
    expect(said()).toEqual([
      'add element cluster-ips { 10.96.0.11 }',
      'add element endpoints-tcp { 10.96.0.11 . 80 . 0 : 10.244.2.5 . 8080 }',
      `add element service-ips { ${lead('10.96.0.11 . tcp . 80', 'cluster-ip-lb-tcp-1', 'shop/new')} }`,
    ])
  })

  test('a Service that takes another port is its elements under the other port', async () => {
    await change(service('shop/cart', ['10.96.0.10'], { ports: [port({ port: 81 })] }))
    expect(said()).toEqual([
      'delete element endpoints-tcp { 10.96.0.10 . 80 . 0 , 10.96.0.10 . 80 . 1 }',
      'delete element service-ips { 10.96.0.10 . tcp . 80 }',
      'add element endpoints-tcp { 10.96.0.10 . 81 . 0 : 10.244.2.2 . 8080 , 10.96.0.10 . 81 . 1 : 10.244.2.3 . 8080 }',
      `add element service-ips { ${lead('10.96.0.10 . tcp . 81', 'cluster-ip-lb-tcp-2')} }`,
    ])
  })

  test('a node port that is opened is one frontend, and the endpoints behind it', async () => {
    await change(service('shop/cart', ['10.96.0.10'], { ports: [port({ port: 80, nodePort: 30080 })] }))
    expect(said()).toEqual([
      'add element nodeport-endpoints-tcp { 30080 . 0 : 10.244.2.2 . 8080 , 30080 . 1 : 10.244.2.3 . 8080 }',
      `add element service-nodeports { ${lead('tcp . 30080', 'nodeport-lb-tcp-2')} }`,
    ])
  })

  test('a Service that goes takes its elements along', async () => {
    draft.touch(cluster.apply({ type: 'gone', kind: 'Service', name: name('shop/cart') }).services)
    await change()
    expect(said()).toEqual([
      'delete element cluster-ips { 10.96.0.10 }',
      'delete element endpoints-tcp { 10.96.0.10 . 80 . 0 , 10.96.0.10 . 80 . 1 }',
      'delete element service-ips { 10.96.0.10 . tcp . 80 }',
    ])
  })

  test('what changes nothing here is no command at all', async () => {
    await change(service('shop/cart', ['10.96.0.10'], { uid: 'another' }), cart(3, 2))
    expect(commands).toEqual([])
  })

  test('a sticky Service has one chain rewritten, and a set and a chain for each new endpoint', async () => {
    await change(service('shop/cart', ['10.96.0.10'], { stickySeconds: 60 }))
    commands.length = 0
    await change(cart(2, 3, 4))
    const kinds = said().map(line => line.replace(/[A-Z0-9]{8}-\S+/g, 'X'))
    expect(kinds).toEqual([
      'add set affinity-X { type ipv4_addr ; flags dynamic,timeout ; }',
      'add chain endpoint-X',
      'flush chain endpoint-X',
      'add chain service-X',
      'flush chain service-X',
      'add rule endpoint-X update @affinity-X { ip saddr timeout 60s }',
      'add rule endpoint-X meta l4proto tcp dnat to 10.244.2.4:8080',
      ...[2, 3, 4].map(() => 'add rule service-X ip saddr @affinity-X goto endpoint-X'),
      'add rule service-X numgen random mod 3 vmap { 0 : goto endpoint-X , 1 : goto endpoint-X , 2 : goto endpoint-X }',
    ])
  })
})
