import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { type AskParts, ask } from '#operator/explain/ask.ts'
import { clusterOf } from '#operator/source/objects.ts'
import type { ClusterView, PlacedPod } from '#operator/source/view.ts'
import type { Kernel } from '#system/ports.ts'
import { PaperNetworks } from '../../cni/plugins/bridge/paper-network.ts'
import { accepted } from '../../config/parsing.ts'
import { captureLog } from '../../support/captured-log.ts'
import { leaseRequest, setOf } from '../../support/leases.ts'
import { cidr, endpoint, ip, node, port, service, slice } from '../../support/objects.ts'

// FROM and TO as an operator writes them, a cluster and this machine: which packet is meant, and by which rules it goes.

const OBJECTS = [
  service('shop/cart', ['10.96.0.10', 'fd00:96::10'], {
    ports: [port({ name: 'http', port: 80 }), port({ name: 'admin', port: 81 })],
  }),
  slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2'), endpoint('10.244.2.2')], {
    ports: [{ name: port({ name: 'http', port: 80 }).name, protocol: 'tcp', port: 8080 }],
  }),
]
const NODES = [
  node('one', { addresses: [ip('192.0.2.1')], podCIDRs: [cidr('10.244.1.0/24')] }),
  node('two', { addresses: [ip('192.0.2.2')], podCIDRs: [cidr('10.244.2.0/24')] }),
]

function pod(name: string, on: string, addresses: readonly string[], more: Partial<PlacedPod> = {}): PlacedPod {
  return { pod: name, uid: name, node: on, addresses: addresses.map(ip), isFinished: false, isOnHost: false, ...more }
}

const PODS = [
  pod('shop/cart-0', 'one', ['10.244.1.2']),
  pod('shop/ended', 'one', ['10.244.1.4'], { isFinished: true }),
  pod('kube-system/agent', 'one', ['192.0.2.1'], { isOnHost: true }),
  pod('shop/young', 'one', []),
  pod('shop/client', 'one', ['10.244.1.5', 'fd00:244:1::5']),
  pod('shop/far', 'two', ['10.244.2.2']),
]

let folder: string
let database: string
let networks: PaperNetworks
/** What conntrack prints. */
let connections: string
const clock = new PaperClock(1_000_000)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ask-'))
  database = join(folder, 'ipam.db')
  networks = new PaperNetworks()
  networks.node.addresses = async () => []
  connections = ''
})
afterEach(() => rmSync(folder, { recursive: true }))

const HOST = JSON.stringify([
  { ifname: 'lo', addr_info: [{ family: 'inet', local: '127.0.0.1', prefixlen: 8, scope: 'host' }] },
  { ifname: 'eth0', addr_info: [{ family: 'inet', local: '192.0.2.1', prefixlen: 24, scope: 'global' }] },
])

const kernel: Kernel = (() => {
  const paper = new PaperKernel()
  return {
    run: async command => {
      const [program] = command.argv
      if (program === 'conntrack') return { code: 0, stdout: connections, stderr: '' }
      if (command.argv.includes('get')) return { code: 0, stdout: `${command.argv.at(-1)} dev cni0 src 1`, stderr: '' }
      if (program === 'ip') return { code: 0, stdout: HOST, stderr: '' }
      if (program === 'cat' || program === 'grep') return { code: 0, stdout: '0', stderr: '' }
      return paper.run(command)
    },
  }
})()

interface World extends Partial<Pick<ClusterView, 'nodeName' | 'by'>> {
  readonly flags?: readonly string[]
  readonly pods?: readonly PlacedPod[] | undefined
  readonly nodes?: typeof NODES
}

async function parts({ flags = [], nodes = NODES, nodeName = 'one', by = 'api', ...world }: World): Promise<AskParts> {
  const argv = ['10.96.0.10:80', '--cluster-cidr=10.244.0.0/16', `--database=${database}`, ...flags]
  const { settings } = await accepted({ verb: 'explain', argv })
  const events = [...OBJECTS, ...nodes].map(object => ({ type: 'put', object }) as const)
  const gathered = clusterOf(events, nodeName, captureLog().log)
  const view: ClusterView = {
    ...{ settings, nodeName, namespace: 'shop', from: 'a test', by, ...gathered },
    pods: async () => ('pods' in world ? world.pods : PODS),
    allNodes: async () => gathered.nodes,
  }
  return { settings, view, nodeName, kernel, networks, clock }
}

async function asked(from: string | undefined, to: string, world: World = {}) {
  return ask({ from, to }, await parts(world))
}

const headlines = async (...given: Parameters<typeof asked>) =>
  (await asked(...given)).map(
    ({ from, to, node: on }) => `${from.label} ${from.address} → ${to.address}:${to.port} on ${on}`,
  )

const ends = async (...given: Parameters<typeof asked>) =>
  (await asked(...given)).flatMap(({ ways }) => ways.map(({ end }) => (end.to === 'endpoint' ? end.endpoint : end.to)))

describe('without FROM', () => {
  test('it is a pod of this node that is no endpoint of what is asked for', async () => {
    expect(await headlines(undefined, 'svc/cart:http')).toEqual(['pod shop/client 10.244.1.5 → 10.96.0.10:80 on one'])
  })

  test('it is an endpoint where there is no other pod, and the node where there is none at all', async () => {
    expect(await headlines(undefined, 'svc/cart:http', { pods: PODS.slice(0, 4) })).toEqual([
      'pod shop/cart-0 10.244.1.2 → 10.96.0.10:80 on one',
    ])
    expect(await headlines(undefined, 'svc/cart:http', { pods: undefined })).toEqual([
      'node one 192.0.2.1 → 10.96.0.10:80 on one',
    ])
  })

  test('it is any pod where this machine is no node', async () => {
    expect(await headlines(undefined, 'svc/cart:http', { nodeName: 'laptop', pods: PODS.slice(5) })).toEqual([
      'pod shop/far 10.244.2.2 → 10.96.0.10:80 on two',
    ])
  })

  test('a pod of which no node is known is asked about here', async () => {
    const pods = [pod('shop/unplaced', '', ['10.244.9.9'])]
    expect(await headlines(undefined, 'svc/cart:http', { nodeName: 'laptop', pods })).toEqual([
      'pod shop/unplaced 10.244.9.9 → 10.96.0.10:80 on laptop',
    ])
  })

  test('a mistake in TO is the one that is named', async () => {
    await expect(asked(undefined, 'svc/crat', { nodeName: 'laptop', pods: [] })).rejects.toThrow(
      'TO:PORT: there is no Service "shop/crat"; did you mean shop/cart?',
    )
  })

  test('it must be given for an address where neither pods nor nodes are known', async () => {
    await expect(asked(undefined, '10.96.0.10:80', { nodes: [], pods: undefined })).rejects.toThrow(
      new Error('FROM: must be given for 10.96.0.10: no pod of this node is known'),
    )
  })

  test('leases of this node name its pods where no other source does', async () => {
    const book = SqliteLeaseBook.open({ path: database, clock, boot: 'b' })
    await book.take(leaseRequest('c', { pod: 'shop/leased', sets: [setOf('10.244.1.0/24')] }))
    book.close()
    expect(await headlines(undefined, 'svc/cart:http', { pods: undefined })).toEqual([
      'pod shop/leased 10.244.1.2 → 10.96.0.10:80 on one',
    ])
  })
})

describe('families', () => {
  test('each port of a Service is one answer, in the family that both have', async () => {
    expect(await headlines('pod/client', 'shop/cart')).toEqual([
      'pod shop/client 10.244.1.5 → 10.96.0.10:80 on one',
      'pod shop/client 10.244.1.5 → 10.96.0.10:81 on one',
    ])
    expect(await headlines('fd00:244:1::5', 'shop/cart:http')).toEqual([
      'pod shop/client fd00:244:1::5 → fd00:96::10:80 on one',
    ])
    expect(await headlines('pod/client', '[fd00:96::10]:80')).toEqual([
      'pod shop/client fd00:244:1::5 → fd00:96::10:80 on one',
    ])
  })

  test('that do not meet are named', async () => {
    await expect(asked('10.244.1.5', '[fd00:96::10]:80')).rejects.toThrow(
      'FROM 10.244.1.5 and TO fd00:96::10 are of two families: both must be IPv4, or both IPv6',
    )
  })
})

describe('the rules', () => {
  test('are those of the node that sends', async () => {
    expect(await ends('pod/client', 'svc/cart:http')).toEqual(['10.244.1.2:8080', '10.244.2.2:8080'])
    const [far] = await asked('pod/far', 'svc/cart:http')
    expect(far).toMatchObject({ node: 'two', rules: 'wanted', before: [] })
  })

  test('of a sender beyond the cluster are those of the node that it sends to', async () => {
    const at = async (from: string, to: string) => (await asked(from, to))[0]!.node
    expect(await at('203.0.113.9', 'node/two:30080')).toBe('two')
    expect(await at('203.0.113.9', '192.0.2.2:30080')).toBe('two')
    expect(await at('203.0.113.9', '10.96.0.10:80')).toBe('one')
    expect(await at('pod/client', 'node/two:30080')).toBe('one')
    await expect(asked('203.0.113.9', 'node/two:30080', { flags: ['--live'] })).rejects.toThrow(
      new Error('--live: 203.0.113.9 sends to node two, whose kernel cannot be asked from here; run this there'),
    )
  })

  test('are those of the kernel where --live asks for them: of a node without any, no packet is ours', async () => {
    const [live] = await asked('pod/client', 'svc/cart:http', { flags: ['--live'] })
    expect(live).toMatchObject({ rules: 'of the kernel', ways: [{ end: { to: 'untouched' } }] })
    expect(live!.findings).toEqual([expect.stringMatching(/^the rules lead to no endpoint of shop\/cart:http/)])
  })

  test('of the kernel alone give ways and no reasons where no objects are known', async () => {
    const { view: _, ...blind } = await parts({})
    const [answer] = await ask({ from: '10.244.1.5', to: '10.96.0.10:80' }, { ...blind, view: undefined })
    expect(answer).toMatchObject({ rules: 'of the kernel', ways: [{ end: { to: 'untouched' } }], findings: [] })
    expect(answer!.reason).toBeUndefined()
  })

  test.each([
    ['--live', '--live: pod shop/far is on node two, whose kernel cannot be asked from here; run this there'],
    ['--send', '--send: pod shop/far is on node two; run this there'],
  ])('%s is refused for a sender on another node', async (flag, line) => {
    await expect(asked('pod/far', 'svc/cart:http', { flags: [flag] })).rejects.toThrow(new Error(line))
  })

  test('--send is refused for an address that is neither this node’s nor leased here', async () => {
    await expect(asked('10.244.1.5', 'svc/cart:http', { flags: ['--send'] })).rejects.toThrow(
      /^--send: 10\.244\.1\.5 is neither an address of this node nor of a pod that has a lease here/,
    )
  })

  test('files are about this machine unless a Node says otherwise', async () => {
    expect(await headlines('pod/far', 'svc/cart:http', { by: 'files' })).toEqual([
      'pod shop/far 10.244.2.2 → 10.96.0.10:80 on two',
    ])
  })
})

test('a connection that the kernel tracks to another place stands in the way', async () => {
  connections =
    'udp 17 29 src=10.244.1.5 dst=10.96.0.10 sport=4000 dport=80 src=10.244.1.99 dst=10.244.1.5 sport=8080 dport=4000 mark=0 use=1'
  const at = async (protocol: string) => (await asked('pod/client', `10.96.0.10:80/${protocol}`))[0]!.findings
  expect(await at('tcp')).toEqual([])
  connections = connections.replace('udp 17 29', 'tcp 6 100 SYN_SENT')
  expect(await at('tcp')).toEqual([expect.stringMatching(/that 10\.244\.1\.99:8080 answers, and no rule leads there/)])
})

test('a pod that has a lease here is looked into, and its namespace is closed again', async () => {
  const book = SqliteLeaseBook.open({ path: database, clock, boot: 'b' })
  const netns = { netns: '/run/netns/c', namespaceId: '1:1' }
  await book.take(leaseRequest('c', { pod: 'shop/client', sets: [setOf('10.244.1.0/24')], ...netns }))
  book.close()
  const [answer] = await asked('10.244.1.2', '10.96.0.10:80')
  expect(answer!.before).toEqual([{ at: 'pod shop/client', text: 'has no interface eth0: it is attached to nothing' }])
  expect(networks.held).toBe(0)
  networks.podIsGone = true
  const [closed] = await asked('10.244.1.2', '10.96.0.10:80')
  expect(closed!.before[0]!.text).toBe('its network namespace /run/netns/c cannot be entered')
})
