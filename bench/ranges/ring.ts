import { ringStore } from '#cni/daemon/ranges/ring-store.ts'
import { NOTHING_KNOWN } from '#ipam/ring/journal.ts'
import { type JournalStore, RingMember } from '#ipam/ring/member.ts'
import { ringOf } from '#ipam/ring/ring-text.ts'
import type { Access } from '#kubernetes/access/credentials.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { systemClock } from '#system/clock.ts'
import { parseCidr } from '#values/cidr.ts'
import type { RingFigures } from './figures.ts'

// A ring of that many nodes, made over real requests to one ConfigMap: how fast they join, what they write for it, and what the
// whole ring takes in the memory of each.

/** Nodes that come in one moment, at any time. */
const AT_ONCE = 16
const RANGE = parseCidr('10.32.0.0/12')!

export async function measureRing(nodes: number): Promise<RingFigures> {
  const server = await startApiServer()
  const transport = new ApiTransport({ credentials: { access: async () => access(server), rejected() {} } })
  try {
    const { written, conflicts, store } = countedStore(transport)
    const begun = performance.now()
    const left = Array.from({ length: nodes }, (_, i) => `node-${i}`).values()
    const work = async (): Promise<void> => {
      for (const name of left) await memberOf(name, nodes, store()).join(64)
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    const tookMs = performance.now() - begun
    const text = ringIn(server)
    return {
      ...{ nodes, atOnce: AT_ONCE, tookMs, writes: written(), conflicts: conflicts() },
      ...{ textMiB: Buffer.byteLength(text) / 2 ** 20, heapMiB: heapOf(text) },
    }
  } finally {
    await transport.close()
    await server.close()
  }
}

function access({ url }: ApiServer): Access {
  return { origin: url, prefix: '', headers: {}, tls: { rejectUnauthorized: true } }
}

/** Each node has a store of its own, as each has its own process. */
function countedStore(transport: ApiTransport) {
  let [written, conflicts] = [0, 0]
  const store = () => {
    const inner = ringStore(async () => ({ transport, clock: systemClock }))
    return {
      read: inner.read,
      write: async (...words: Parameters<typeof inner.write>) => {
        const outcome = await inner.write(...words)
        if (outcome === 'conflict') conflicts += 1
        else written += 1
        return outcome
      },
    }
  }
  return { store, written: () => written, conflicts: () => conflicts }
}

function memberOf(
  name: string,
  peers: number,
  store: ReturnType<ReturnType<typeof countedStore>['store']>,
): RingMember {
  let known = NOTHING_KNOWN
  const journal: JournalStore = {
    load: () => known,
    save: next => {
      known = next
    },
  }
  return new RingMember({
    ...{
      peer: { name, uid: `0a1b2c3d-0000-4000-8000-${name.padStart(12, '0').slice(-12)}` },
      range: RANGE,
      store,
      journal,
    },
    ...{ init: { mode: 'consensus', peers }, freeIn: ranges => ranges, clock: systemClock, random: Math.random },
  })
}

function ringIn(server: ApiServer): string {
  const found = server.store.list('ConfigMap').find(({ metadata }) => metadata.name === 'switchyard-ring')
  return (found as unknown as { readonly data: { readonly ring: string } }).data.ring
}

/** Of the ring as a daemon holds it, with its text gone; without a collector to call it is an upper bound. */
function heapOf(text: string): number {
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const copies = Array.from({ length: 10 }, () => ringOf(text))
  globalThis.gc?.()
  const after = process.memoryUsage().heapUsed
  return (after - before) / copies.length / 2 ** 20
}
