import { beforeEach, describe, expect, test } from 'vitest'
import { Cluster } from '../../src/cluster/cluster.ts'
import { iptables } from '../../src/modes/iptables/index.ts'
import type { Mode } from '../../src/modes/mode.ts'
import { EMPTY } from '../../src/plan/diff.ts'
import { Draft } from '../../src/sync/draft.ts'
import { Lane } from '../../src/sync/lane.ts'
import type { Report } from '../../src/sync/report.ts'
import { Sync } from '../../src/sync/sync.ts'
import { PaperClock } from '../../src/system/paper/clock.ts'
import { PaperKernel } from '../../src/system/paper/kernel.ts'
import type { Kernel } from '../../src/system/ports.ts'
import { surroundings } from '../flags.ts'
import { endpoint, name, service, slice } from '../objects.ts'
import { sameLines } from '../same-lines.ts'

// A large cluster at the first look: chains of single Services stand before the rest is drawn, and all comes to the same.

const FLAGS = {
  nodeName: 'here',
  localPods: { by: 'cluster-cidr', cidrs: [] },
  masqueradeAll: true,
  nodePortAddresses: [],
  localhostNodePorts: false,
  masqueradeBit: 14,
} as const
const lookAround = surroundings({ flags: FLAGS, family: 'ipv4', addresses: [] })
const mode = (variant: 'nft' | 'legacy'): Mode =>
  iptables({ family: 'ipv4', variant, restore: `iptables-${variant}-restore`, save: `iptables-${variant}-save` })
const NFT = mode('nft')

function clusterOf(count: number): Cluster {
  const cluster = new Cluster()
  for (let n = 0; n < count; n++) put(cluster, n)
  for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) cluster.apply({ type: 'synced', kind })
  return cluster
}

function put(cluster: Cluster, n: number, pod = `10.244.0.${n + 1}`): void {
  const called = `shop/s${n}`
  cluster.apply({ type: 'put', object: service(called, [`10.96.0.${n + 1}`]) })
  cluster.apply({ type: 'put', object: slice(`${called}-x`, called, [endpoint(pod)]) })
}

/** What the kernel would have if it had never had anything else. */
async function fromScratch(cluster: Cluster): Promise<string> {
  const kernel = new PaperKernel()
  const draft = new Draft(cluster, NFT, lookAround)
  draft.update()
  await new Sync(NFT, kernel, new PaperClock()).run(draft.book)
  return rulesOf(kernel)
}

async function rulesOf(kernel: Kernel): Promise<string> {
  return (await linesOf(kernel)).join('\n')
}

async function linesOf(kernel: Kernel): Promise<readonly string[]> {
  const { stdout } = await kernel.run({ argv: ['iptables-nft-save'] })
  return stdout.split('\n').filter(line => /^(?:-A|:KUBE)/.test(line))
}

/** All steps, with somebody sent ahead wherever that is possible. */
async function inSteps(draft: Draft, sync: Sync): Promise<void> {
  while (draft.advance(2) === 'more') {
    if (sync.canAdvance) sync.advance(draft.book)
    await new Promise(resolve => setImmediate(resolve))
  }
}

describe('in iptables mode', () => {
  let kernel: PaperKernel
  let cluster: Cluster
  let draft: Draft
  let sync: Sync
  beforeEach(() => {
    kernel = new PaperKernel()
    cluster = clusterOf(12)
    draft = new Draft(cluster, NFT, lookAround)
    sync = new Sync(NFT, kernel, new PaperClock())
  })

  test('chains stand early, nothing leads to them before all is drawn, and it comes to the same', async () => {
    await inSteps(draft, sync)
    const early = await linesOf(kernel)
    expect(early.filter(line => line.startsWith(':KUBE-SEP-')).length).toBeGreaterThan(6)
    expect(early.filter(line => /^(?::KUBE-SERVICES|-A (?:PREROUTING|OUTPUT|KUBE-SERVICES))/.test(line))).toEqual([])
    const { plan, looked, drift } = await sync.run(draft.book)
    sameLines(await rulesOf(kernel), await fromScratch(cluster))
    expect(looked).toBe(true)
    expect(drift).toEqual([])
    expect(plan.add).toEqual(draft.book.rules)
  })

  test('what stands already is neither changed nor taken away before all is drawn', async () => {
    draft.update()
    await sync.run(draft.book)
    const before = await linesOf(kernel)
    const later = clusterOf(12)
    later.apply({ type: 'gone', kind: 'Service', name: name('shop/s3') })
    put(later, 4, '10.244.9.9')
    const next = { draft: new Draft(later, NFT, lookAround), sync: new Sync(NFT, kernel, new PaperClock()) }
    await inSteps(next.draft, next.sync)
    const meanwhile = await linesOf(kernel)
    expect(before.filter(line => !meanwhile.includes(line))).toEqual([])
    await next.sync.run(next.draft.book)
    sameLines(await rulesOf(kernel), await fromScratch(later))
  })

  test('a failure on the way fails the run, and the next one mends it', async () => {
    const run = kernel.run.bind(kernel)
    let restores = 0
    kernel.run = command => {
      if (command.argv[0] === 'iptables-nft-restore' && ++restores === 2) {
        return Promise.resolve({ code: 4, stdout: '', stderr: 'Another app is holding the lock' })
      }
      return run(command)
    }
    await inSteps(draft, sync)
    await expect(sync.run(draft.book)).rejects.toThrow('holding the lock')
    await sync.run(draft.book)
    sameLines(await rulesOf(kernel), await fromScratch(cluster))
  })

  test('what was seen before somebody else was there is not believed', async () => {
    await inSteps(draft, sync)
    await kernel.run({ argv: ['iptables-nft', '-t', 'nat', '-F'] })
    await kernel.run({ argv: ['iptables-nft', '-t', 'nat', '-X'] })
    sync.forget()
    await sync.run(draft.book)
    sameLines(await rulesOf(kernel), await fromScratch(cluster))
  })
})

test('where each restore costs the whole table, nobody is sent ahead', () => {
  expect(new Sync(mode('legacy'), new PaperKernel(), new PaperClock()).canAdvance).toBe(false)
})

test('a lane with a great many Services gives others a turn, and reports all of it as one sync', async () => {
  const cluster = clusterOf(200)
  const kernel = new PaperKernel()
  const clock = new PaperClock()
  const reports: Report[] = []
  const limits = { minMs: 1000, retryMs: 30_000, distrustMs: 3_600_000, unwatchedMs: 600_000 }
  const parts = { family: 'ipv4', cluster, mode: NFT, kernel, clock, limits, lookAround } as const
  const lane = new Lane({ ...parts, tell: report => reports.push(report) })
  lane.touch([...cluster.services()].map(service => service.name))
  const stop = new AbortController()
  const running = lane.run(stop.signal)
  let turns = 0
  const sleep = clock.sleep.bind(clock)
  clock.sleep = (ms, signal) => {
    if (ms === 0) turns++
    return sleep(ms, signal)
  }
  while (reports.length === 0) await clock.advance(0)
  stop.abort()
  await running
  expect(turns).toBeGreaterThan(5)
  const [{ units, commands, bytes, news }] = reports as [Report]
  expect(news.added).toHaveLength(200)
  expect(units).toEqual({ added: lane.draft.book.rules.size, changed: 0, removed: 0 })
  expect(commands).toBeGreaterThan(1)
  expect(bytes).toBeGreaterThan(
    NFT.write({ add: lane.draft.book.rules, change: EMPTY, remove: new Set() })[0]!.input!.length - 10_000,
  )
  sameLines(await rulesOf(kernel), await fromScratch(cluster))
})
