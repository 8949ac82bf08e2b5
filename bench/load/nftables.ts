import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { anyCommand } from '#lab/any-command.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { ServiceTraffic } from '#proxy/desired/traffic.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { BASE_OWNER, Book } from '#proxy/plan/book.ts'
import { Sync } from '#proxy/sync/sync.ts'
import { systemClock } from '#system/clock.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { newNamespace } from '../../test/kernel/namespace.ts'
import { cidr, ip } from '../../test/support/objects.ts'
import { OURS } from '../contenders.ts'
import { cell, grouped, markdownTable } from '../report/markdown.ts'
import { largest, spreadOf } from '../report/statistics.ts'
import type { Result } from '../rounds.ts'
import { ENDPOINTS, timed, traffic } from './traffic.ts'

// node bench/load/nftables.ts SERVICES → how long nftables mode takes to load so many, and to follow changes, as a line
// of JSON.

export interface NftFigures {
  readonly services: number
  readonly loadMs: number
  /** Ours and that of nft: who else is busy on the machine does not show in it. */
  readonly loadCpuMs: number
  readonly megabytes: number
  /** One endpoint of a Service moves. */
  readonly changesMs: readonly number[]
  readonly additionsMs: readonly number[]
  readonly lookAgainMs: number
}

const CHANGES = 100
const ROUNDS = 3

const VIEW: NodeView = {
  family: 'ipv4',
  mark: 0x4000,
  localPods: { by: 'cidr', cidr: cidr('10.128.0.0/9') },
  nodePortAddresses: [ip('10.99.0.2')],
  localhostNodePorts: false,
  masquerade: 'from-outside',
  dropInvalid: true,
  endpointComments: false,
}

async function measure(services: number): Promise<NftFigures> {
  const { kernel, end } = await newNamespace('sy-nft-bench')
  try {
    const mode = nftables({ family: 'ipv4', chainRemoval: 'at-once' })
    const book = new Book()
    const sync = new Sync(mode, kernel, { clock: systemClock })
    const put = (one: ServiceTraffic): void => book.put(`${one.id}/tcp`, mode.service(one, VIEW))
    const followed = async (one: ServiceTraffic): Promise<number> => {
      const { ms } = await timed(() => {
        put(one)
        return sync.run(book)
      })
      return ms
    }
    book.put(BASE_OWNER, mode.base(VIEW))
    const cpuBefore = cpuMs()
    const loaded = await timed(() => {
      for (let i = 0; i < services; i++) put(traffic(i))
      return sync.run(book)
    })
    const loadCpuMs = cpuMs() - cpuBefore
    const apart = Math.floor(services / CHANGES)
    const changesMs: number[] = []
    for (let n = 0; n < CHANGES; n++) changesMs.push(await followed(traffic(n * apart, 1)))
    const additionsMs: number[] = []
    for (let n = 0; n < CHANGES; n++) additionsMs.push(await followed(traffic(services + n)))
    sync.forget()
    const read = await timed(() => sync.run(book))
    const { add, change, remove } = read.result.plan
    if (add.size + change.size + remove.size > 0) throw new Error('what was read back differs from what was written')
    return {
      services,
      loadMs: loaded.ms,
      loadCpuMs,
      megabytes: loaded.result.bytes / 1e6,
      changesMs,
      additionsMs,
      lookAgainMs: read.ms,
    }
  } finally {
    await end()
  }
}

/** Of this process and of the children it has waited for. */
function cpuMs(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks) * MS_PER_TICK, 0)
}

const MS_PER_TICK = 10

/** One row a size; the agent's memory is that of the whole program, which serves the same cluster from an API server. */
export function nftablesTable(figures: readonly NftFigures[], results: readonly Result[]): string {
  const head = [
    'services × endpoints',
    'load',
    'CPU of it',
    'endpoint change p50',
    'p99',
    'service added p50',
    'p99',
    'look again',
    'written',
    'peak memory of the agent',
  ]
  const ms = (value: number): string => `${value.toFixed(value < 100 ? 1 : 0)} ms`
  const rows = figures.map(({ services, loadMs, loadCpuMs, changesMs, additionsMs, lookAgainMs, megabytes }) => {
    const agent = results.find(result => result.contender === OURS && result.services === services)
    return [
      `${grouped(services)} × ${ENDPOINTS}`,
      ms(loadMs),
      ms(loadCpuMs),
      ...[changesMs, additionsMs].map(spreadOf).flatMap(({ p50, p99 }) => [ms(p50), ms(p99)]),
      ms(lookAgainMs),
      `${megabytes.toFixed(1)} MB`,
      cell(largest(agent?.measured.peakMiB ?? []), 'MiB'),
    ]
  })
  return markdownTable(head, rows)
}

/** All sizes in turn, several times, so that a busy minute does not fall on one of them: of each the best load and look. */
export async function nftablesFigures(sizes: readonly number[]): Promise<readonly NftFigures[]> {
  const best = new Map<number, NftFigures>()
  for (let round = 0; round < ROUNDS; round++) {
    for (const services of sizes) {
      const now = await measured(services)
      const before = best.get(services)
      best.set(services, before === undefined ? now : bestOf(before, now))
    }
  }
  return [...best.values()]
}

function bestOf(a: NftFigures, b: NftFigures): NftFigures {
  return {
    ...a,
    loadMs: Math.min(a.loadMs, b.loadMs),
    loadCpuMs: Math.min(a.loadCpuMs, b.loadCpuMs),
    lookAgainMs: Math.min(a.lookAgainMs, b.lookAgainMs),
    changesMs: [...a.changesMs, ...b.changesMs],
    additionsMs: [...a.additionsMs, ...b.additionsMs],
  }
}

/** In a process of its own: what an earlier size left behind must not weigh on a later one. */
async function measured(services: number): Promise<NftFigures> {
  const argv = [process.execPath, fileURLToPath(import.meta.url), String(services)] as const
  const { stdout } = await must(hostKernel(), anyCommand(argv, { timeoutMs: 600_000 }))
  return JSON.parse(stdout) as NftFigures
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log(JSON.stringify(await measure(Number(process.argv[2] ?? 1000))))
}
