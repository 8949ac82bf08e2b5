import { performance } from 'node:perf_hooks'
import type { NodeView } from '../../src/desired/node-view.ts'
import type { Endpoint, ServiceTraffic } from '../../src/desired/traffic.ts'
import { nftables } from '../../src/modes/nftables/index.ts'
import { BASE_OWNER, Book } from '../../src/plan/book.ts'
import { Sync } from '../../src/sync/sync.ts'
import { systemClock } from '../../src/system/clock.ts'
import { newNamespace } from '../kernel/namespace.ts'
import { cidr, ip, name } from '../objects.ts'

// node test/bench/nftables.ts [SERVICES…] → how long nftables mode takes to load so many, and to follow changes.

const ENDPOINTS = 10
const CHANGES = 100

const VIEW: NodeView = {
  family: 'ipv4',
  mark: 0x4000,
  localPods: { by: 'cidr', cidr: cidr('10.128.0.0/9') },
  nodePortAddresses: [ip('10.99.0.2')],
  localhostNodePorts: false,
  dropInvalid: true,
  endpointComments: false,
}

function address(base: string, n: number): string {
  return `${base}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
}

function endpoint(n: number): Endpoint {
  const at = ip(address('10', n + 0x80_0000))
  return { ip: at, port: 8080, text: `${at}:8080`, local: n % 100 === 0 }
}

/** `generation` moves the last endpoint, as a rolling update does. */
function traffic(i: number, generation = 0): ServiceTraffic {
  const cluster = Array.from({ length: ENDPOINTS }, (_, e) =>
    endpoint(i * ENDPOINTS + e + (e === ENDPOINTS - 1 ? generation * 1_000_000 : 0)),
  )
  return {
    id: `bench/service-${i}:http`,
    service: name(`bench/service-${i}`),
    protocol: 'tcp',
    frontends: [
      { kind: 'cluster-ip', ip: ip(address('10', i + 0x60_0000)), port: 80, verdict: { to: 'pool', pool: 'cluster' } },
    ],
    pools: { cluster, local: [] },
    masquerade: 'from-outside',
  }
}

async function timed<T>(work: () => Promise<T> | T): Promise<{ readonly ms: number; readonly result: T }> {
  const start = performance.now()
  const result = await work()
  return { ms: performance.now() - start, result }
}

async function measure(services: number): Promise<Record<string, number>> {
  const { kernel, end } = await newNamespace('sy-nft-bench')
  try {
    const mode = nftables({ family: 'ipv4', chainRemoval: 'at-once' })
    const book = new Book()
    const sync = new Sync(mode, kernel, systemClock)
    const put = (one: ServiceTraffic): void => book.put(`${one.id}/tcp`, mode.service(one, VIEW))
    const filled = await timed(() => {
      book.put(BASE_OWNER, mode.base(VIEW))
      for (let i = 0; i < services; i++) put(traffic(i))
    })
    const loaded = await timed(() => sync.run(book))
    const spread = Math.floor(services / CHANGES)
    const updates: number[] = []
    const own: number[] = []
    for (let n = 0; n < CHANGES; n++) {
      const changed = await timed(() => put(traffic(n * spread, 1)))
      updates.push(changed.ms + (await timed(() => sync.run(book))).ms)
      own.push(changed.ms)
    }
    const additions: number[] = []
    for (let n = 0; n < CHANGES; n++) {
      const more = traffic(services + n)
      additions.push(
        (
          await timed(() => {
            put(more)
            return sync.run(book)
          })
        ).ms,
      )
    }
    sync.forget()
    const read = await timed(() => sync.run(book))
    if (read.result.plan.add.size + read.result.plan.change.size + read.result.plan.remove.size > 0) {
      throw new Error('what was read back differs from what was written')
    }
    return {
      services,
      'book ms': filled.ms,
      'load ms': loaded.ms,
      MB: loaded.result.bytes / 1e6,
      'endpoint p50 ms': percentile(updates, 50),
      'endpoint p99 ms': percentile(updates, 99),
      'of it put p50': percentile(own, 50),
      'service p50 ms': percentile(additions, 50),
      'service p99 ms': percentile(additions, 99),
      'look again ms': read.ms,
      'RSS MB': process.memoryUsage.rss() / 1e6,
    }
  } finally {
    await end()
  }
}

function percentile(all: readonly number[], part: number): number {
  const sorted = all.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * part) / 100))]!
}

const sizes = process.argv.slice(2).map(Number)
const rows: Record<string, number>[] = []
for (const services of sizes.length > 0 ? sizes : [1000, 5000, 10_000]) rows.push(await measure(services))
console.table(
  rows.map(row => Object.fromEntries(Object.entries(row).map(([key, value]) => [key, Math.round(value * 10) / 10]))),
)
