import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { gatherFiles } from '#operator/source/from-files.ts'
import { clusterOf } from '#operator/source/objects.ts'
import { compared, differencesOf, mendServices } from '#operator/verify/services.ts'
import { bookOf } from '#proxy/agent/cluster-rules.ts'
import { modeToRead } from '#proxy/agent/fit-mode.ts'
import { EndpointComments, SHRUNK } from '#proxy/node/endpoint-comments.ts'
import { readHostNetwork } from '#proxy/node/host-network.ts'
import { diff } from '#proxy/plan/diff.ts'
import { must } from '#system/must.ts'
import { accepted } from '../../config/parsing.ts'
import { captureLog } from '../../support/captured-log.ts'
import { endpoint, service, slice } from '../../support/objects.ts'
import { onPaper } from './paper-host.ts'

// A cluster and the rules of a kernel on paper → what differs, whose it is, and that a repair is all that it takes.
// kernel/ask/services-damage.test.ts has every kind of damage on the real kernel.

const OBJECTS = [
  service('shop/cart', ['10.96.0.10', 'fd00:96::10']),
  slice('shop/cart-1', 'shop/cart', [endpoint('10.244.1.2')]),
  service('shop/db', ['10.96.0.11']),
]

async function parts(kernel: PaperKernel, ...argv: readonly string[]) {
  const { settings } = await accepted({ verb: 'verify', argv: ['--cluster-cidr=10.0.0.0/8', ...argv] })
  const events = OBJECTS.map(object => ({ type: 'put', object }) as const)
  const { cluster } = clusterOf(events, 'one', captureLog().log)
  return { settings, cluster, nodeName: 'one', kernel: onPaper(kernel) }
}

describe.each(['iptables', 'nftables'])('in %s mode', mode => {
  test('a kernel without rules lacks those of both families, and none differs when it is mended', async () => {
    const about = await parts(new PaperKernel(), `--proxy-mode=${mode}`)
    const found = await compared(about)
    expect(found.map(({ family }) => family)).toEqual(['ipv4', 'ipv6'])
    const differences = differencesOf(found)
    expect(new Set(differences.map(({ kind }) => kind))).toEqual(new Set(['missing']))
    expect(new Set(differences.flatMap(({ owners }) => owners))).toEqual(new Set(['shop/cart/tcp', 'shop/db/tcp']))
    expect(await mendServices(found, about.kernel, new PaperClock())).toEqual([])
    expect(differencesOf(await compared(about))).toEqual([])
  })
})

test('in userspace mode, whose listeners are in the agent, nothing is mended without it', async () => {
  const paper = new PaperKernel()
  const about = await parts(paper, '--proxy-mode=userspace')
  const found = await compared(about)
  expect(await mendServices(found, about.kernel, new PaperClock())).toEqual([
    'IPv4: rules of userspace mode are mended by a running agent alone',
    'IPv6: rules of userspace mode are mended by a running agent alone',
  ])
  expect(differencesOf(await compared(about))).toEqual(differencesOf(found))
  // No unit is a listener's: no kernel has those.
  expect(differencesOf(found).filter(({ unit }) => unit.includes('listen'))).toEqual([])
})

test('of one family nothing else is looked at', async () => {
  const paper = new PaperKernel()
  const found = await compared(await parts(paper, '--family=ipv6'))
  expect(found.map(({ family }) => family)).toEqual(['ipv6'])
  expect(paper.commands.some(({ argv }) => argv[0].startsWith('iptables'))).toBe(false)
})

test('one line that another program adds is one difference, of the Service whose chain it is in', async () => {
  const paper = new PaperKernel()
  const about = await parts(paper, '--family=ipv4')
  const before = await compared(about)
  await mendServices(before, about.kernel, new PaperClock())
  const [, chain] = /(KUBE-SVC-\w+)/.exec([...before[0]!.book.entriesOf('shop/cart/tcp').values()].join('\n')) ?? []
  const input = `*nat\n-A ${chain} -s 10.9.9.9/32 -j ACCEPT\nCOMMIT\n`
  await must(paper, { does: 'other', argv: ['iptables-restore', '--noflush'], input })
  expect(differencesOf(await compared(about))).toMatchObject([
    { kind: 'different', unit: `IPv4 nat ${chain}`, owners: ['shop/cart/tcp'], wanted: [] },
  ])
})

describe('comments in a cluster whose size is about the limit', () => {
  test.each(['kept', 'dropped'] as const)('may be %s: either is what should be there', async were => {
    const folder = await mkdtemp(join(tmpdir(), 'verify-'))
    const file = join(folder, 'cluster.yaml')
    await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objectsOf(950) }))
    const parsed = await accepted({ verb: 'verify', argv: ['-f', file, '--family=ipv4', '--cluster-cidr=10.0.0.0/8'] })
    const invocation = { ...parsed, log: captureLog().log }
    const paper = new PaperKernel()
    const kernel = onPaper(paper)
    const cluster = (await gatherFiles([file], '', invocation.log)).cluster
    const about = { settings: invocation.settings, cluster, nodeName: '', kernel }
    const [comparison] = await compared(about)
    const options = { family: 'ipv4', nodeName: '', hostNetwork: await readHostNetwork(kernel, {}) } as const
    const mode = await modeToRead(invocation.settings, 'ipv4', kernel)
    const book = bookOf(cluster, invocation, {
      ...options,
      mode,
      comments: were === 'kept' ? new EndpointComments() : SHRUNK,
    })
    for (const command of mode.write(diff(comparison!.installed, book.rules))) await must(paper, command)
    const { plan } = (await compared(about))[0]!
    expect([plan.add.size, plan.change.size, plan.remove.size]).toEqual([0, 0, 0])
    await rm(folder, { recursive: true })
  })
})

/** One Service with so many endpoints, as Kubernetes has it. */
function objectsOf(endpoints: number): readonly object[] {
  const named = { name: 'cart', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'cart' } }
  const port = { name: 'http', port: 80, protocol: 'TCP' }
  const addresses = Array.from({ length: endpoints }, (_, i) => `10.1.${i >> 8}.${i & 255}`)
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: named,
      spec: {
        type: 'ClusterIP',
        clusterIP: '10.96.0.10',
        clusterIPs: ['10.96.0.10'],
        ipFamilies: ['IPv4'],
        ports: [port],
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: named,
      addressType: 'IPv4',
      ports: [port],
      endpoints: addresses.map(address => ({ addresses: [address], conditions: { ready: true } })),
    },
  ]
}
