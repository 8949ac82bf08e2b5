import { performance } from 'node:perf_hooks'
import type { Endpoint, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { ip, name } from '../test/support/objects.ts'

// Made-up service ports for a mode to load, and the time it takes.

export interface Spread {
  readonly p50: number
  readonly p99: number
}

export const ENDPOINTS = 10

/** A sixth less memory, at about the same speed. The image does not start it so. */
export const SMALL_YOUNG_GENERATION = ['--max-semi-space-size=4']

function address(base: string, n: number): string {
  return `${base}.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`
}

function endpoint(n: number): Endpoint {
  const at = ip(address('10', n + 0x80_0000))
  return { ip: at, port: 8080, text: `${at}:8080`, local: n % 100 === 0 }
}

/** `generation` moves the last endpoint, as a rolling update does. */
export function traffic(i: number, generation = 0): ServiceTraffic {
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

export async function timed<T>(work: () => Promise<T> | T): Promise<{ readonly ms: number; readonly result: T }> {
  const start = performance.now()
  const result = await work()
  return { ms: performance.now() - start, result }
}

export function spreadOf(all: readonly number[]): Spread {
  return { p50: percentile(all, 50), p99: percentile(all, 99) }
}

function percentile(all: readonly number[], part: number): number {
  const sorted = all.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * part) / 100))]!
}
