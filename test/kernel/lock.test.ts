import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import { systemClock } from '#system/clock.ts'
import type { Kernel } from '#system/ports.ts'
import { startChild } from '#system/processes/children.ts'
import { DEFAULT_FLAGS, nodeFacts } from '../support/flags.ts'
import { service } from '../support/objects.ts'
import { cannotRun, type Namespace, newNamespace } from './namespace.ts'

// iptables-legacy keeps one lock for the whole host. While another program has it, we wait, and take nothing for a flush.

const why = cannotRun('iptables-legacy', 'flock')
const LIMITS = { minMs: 0, retryMs: 1000, unwatchedMs: 1e9, distrustMs: 1e9 }
const RESTORE = 'iptables-legacy-restore'

describe.skipIf(why !== undefined)(`the lock of iptables-legacy${why ? ` (skipped: ${why})` : ''}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-lock-'))
  // Not the host's own: others use that one.
  const lock = join(folder, 'xtables.lock')
  let namespace: Namespace
  let kernel: Kernel
  let lane: Lane
  let cluster: Cluster
  const holders: ReturnType<typeof startChild>[] = []

  beforeAll(async () => {
    writeFileSync(lock, '')
    namespace = await newNamespace('lock')
    kernel = { run: command => namespace.kernel.run({ ...command, env: { XTABLES_LOCKFILE: lock } }) }
    cluster = new Cluster()
    for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) cluster.apply({ type: 'synced', kind })
    lane = new Lane({
      family: 'ipv4',
      cluster,
      mode: iptables({ family: 'ipv4', variant: 'legacy', restore: RESTORE, save: 'iptables-legacy-save' }),
      kernel,
      clock: systemClock,
      limits: LIMITS,
      nodeReader: nodeFacts({ flags: DEFAULT_FLAGS, family: 'ipv4', addresses: [] }),
      onReport: () => {},
    })
    expect((await put('shop/first', '10.96.0.1')).failure).toBeUndefined()
  })
  afterAll(async () => {
    for (const holder of holders) await holder.stop()
    await namespace?.end()
    rmSync(folder, { recursive: true })
  })

  function put(name: string, ip: string): Promise<Report> {
    lane.touch(cluster.apply({ type: 'put', object: service(name, [ip]) }).services)
    return lane.once()
  }

  /** Another program has the lock from when this resolves, until it is called off. */
  async function hold(): Promise<() => Promise<unknown>> {
    const held = Promise.withResolvers<void>()
    const script = 'echo held; exec sleep 600'
    const holder = startChild({ argv: ['flock', lock, 'sh', '-c', script], onLine: () => held.resolve() })
    holders.push(holder)
    await held.promise
    return () => holder.stop()
  }

  async function services(): Promise<readonly string[]> {
    const { stdout } = await kernel.run(anyCommand(['iptables-legacy-save']))
    return [...stdout.matchAll(/"(shop\/\w+) has no endpoints"/g)].map(match => match[1]!).sort()
  }

  test('is waited for: the change is late, and nothing else', async () => {
    const release = await hold()
    const putting = put('shop/second', '10.96.0.2')
    await systemClock.sleep(1200)
    await release()
    const report = await putting
    expect([report.failure, report.looked, report.drift.count]).toEqual([undefined, false, 0])
    expect(report.tookMs).toBeGreaterThan(1000)
    expect(await services()).toEqual(['shop/first', 'shop/second'])
  })

  test('held for longer is a failure that says so; the rules stay, nothing counts as touched, and it is made up for', async () => {
    const release = await hold()
    const { failure } = await put('shop/third', '10.96.0.3')
    expect(String(failure!.error)).toMatch(/lock/)
    expect(await services()).toEqual(['shop/first', 'shop/second'])
    await release()
    const report = await lane.once()
    expect([report.failure, report.drift.count]).toEqual([undefined, 0])
    expect(report.units.added + report.units.changed).toBeLessThan(3)
    expect(await services()).toEqual(['shop/first', 'shop/second', 'shop/third'])
  })
})
