import { performance } from 'node:perf_hooks'
import type { Endpoint, ServiceTraffic } from '#proxy/desired/traffic.ts'
import { ip, name } from '../../test/support/objects.ts'

// Made-up service ports for a mode to load, and the time it takes.

export const ENDPOINTS = 10

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
      {
        kind: 'cluster-ip',
        ip: ip(address('10', i + 0x60_0000)),
        port: 80,
        verdict: { to: 'pool', pool: 'cluster' },
        admits: 'all',
      },
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
