import { vi } from 'vitest'
import { type Credentials, credentialsFrom } from '#kubernetes/access/credentials.ts'
import type { Event } from '#kubernetes/event.ts'
import type { ApiNotice } from '#kubernetes/notices.ts'
import type { ClusterObject, ObjectKind } from '#kubernetes/objects.ts'
import { apiSource } from '#kubernetes/sources/api-source.ts'
import { type ApiStats, type ExtraKind, freshStats } from '#kubernetes/stats.ts'
import type { WatchLimits } from '#kubernetes/watch/limits.ts'
import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { systemClock } from '#system/clock.ts'

// What listens to an apiSource in the tests: keeps what is delivered, as a Cluster would.

/** The limits of the agent, about a hundred times shorter. */
export const FAST: Partial<WatchLimits> = {
  headersMs: 250,
  listIdleMs: 250,
  streamedListMs: 400,
  silenceMs: 300,
  shortWatchMs: 50,
  backoffMs: 10,
  backoffMaxMs: 80,
  retryAfterMaxMs: 600,
}

/** A quiet watch must hear a bookmark more often than `silenceMs`. */
export const BOOKMARK_MS = 100

export interface ListenerOptions {
  readonly limits?: Partial<WatchLimits>
  readonly credentials?: Credentials
  readonly extras?: readonly ExtraKind[]
  /** Called for every event, before the next one is asked for. */
  readonly apply?: (event: Event) => void | Promise<void>
}

/** Only what never comes is waited for so long. */
const PATIENCE_MS = 100_000

export class Listener {
  readonly events: Event[] = []
  readonly notices: ApiNotice[] = []
  readonly objects = new Map<string, ClusterObject>()
  readonly stats: ApiStats = freshStats()
  /** Resolves, or rejects, when the source has ended. */
  readonly ended: Promise<void>
  readonly #stop = new AbortController()

  constructor(url: string, options: ListenerOptions = {}) {
    this.ended = this.#listen(url, options)
    this.ended.catch(() => {})
  }

  /** Names of what is there now. */
  names(kind: ObjectKind): string[] {
    return [...this.objects.values()].filter(object => object.kind === kind).map(({ name }) => name as string)
  }

  /** Waits until all three resources have delivered their first complete picture. */
  synced(): Promise<unknown> {
    return this.until(() => this.events.filter(({ type }) => type === 'synced').length === 3, 'synced')
  }

  /** Waits until what was delivered equals what is in the store. */
  equals(store: ApiStore): Promise<unknown> {
    return this.until(() => same(this, store), 'the same as the store')
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    try {
      await vi.waitUntil(condition, { timeout: PATIENCE_MS, interval: 4 })
    } catch {
      throw new Error(`waited ${PATIENCE_MS} ms in vain: ${what}; notices: ${JSON.stringify(this.notices.slice(-5))}`)
    }
  }

  noticesOf(what: ApiNotice['what']): readonly ApiNotice[] {
    return this.notices.filter(notice => notice.what === what)
  }

  stop(): Promise<void> {
    this.#stop.abort()
    return this.ended
  }

  async #listen(url: string, { limits, credentials, extras = [], apply }: ListenerOptions): Promise<void> {
    const source = apiSource({
      credentials: credentials ?? (await credentialsTo(url)),
      nodeName: 'n1',
      clock: systemClock,
      random: Math.random,
      onNotice: notice => this.notices.push(notice),
      stats: this.stats,
      extras,
      limits: { ...FAST, ...limits },
    })
    for await (const event of source(this.#stop.signal)) {
      this.events.push(event)
      if (event.type === 'put') this.objects.set(`${event.object.kind} ${event.object.name}`, event.object)
      if (event.type === 'gone') this.objects.delete(`${event.kind} ${event.name}`)
      await apply?.(event)
    }
  }
}

export function credentialsTo(url: string): Promise<Credentials> {
  const kernel = { run: async () => ({ code: 127, stdout: '', stderr: '' }) }
  return credentialsFrom({
    master: url,
    env: {},
    files: { readText: () => Promise.reject() },
    kernel,
    clock: systemClock,
  })
}

export function rawService(name: string, more: object = {}): ApiObject {
  const spec = { type: 'ClusterIP', clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [{ port: 80 }] }
  return { kind: 'Service', apiVersion: 'v1', metadata: { name, namespace: 'shop' }, spec: { ...spec, ...more } }
}

/** One endpoint, at that address. */
export function rawSlice(name: string, address = '10.1.0.4'): ApiObject {
  return {
    kind: 'EndpointSlice',
    apiVersion: 'discovery.k8s.io/v1',
    metadata: { name, namespace: 'shop', labels: { 'kubernetes.io/service-name': 'cart' } },
    addressType: 'IPv4',
    ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    endpoints: [{ addresses: [address], conditions: { ready: true } }],
  }
}

export function rawNode(name = 'n1'): ApiObject {
  const status = { addresses: [{ type: 'InternalIP', address: '192.168.0.1' }] }
  return { kind: 'Node', apiVersion: 'v1', metadata: { name }, status }
}

/** By name and address: what an object says, as far as these tests change it. */
function same({ objects }: Listener, store: ApiStore): boolean {
  const kinds = ['Service', 'EndpointSlice', 'Node'] as const
  const wanted = kinds.flatMap(kind => store.list(kind).map(object => [keyOf(kind, object), wordsOf(object)] as const))
  if (wanted.length !== objects.size) return false
  return wanted.every(([key, words]) => objects.has(key) && wordsOf(objects.get(key)!).includes(words))
}

function keyOf(kind: ObjectKind, { metadata }: ApiObject): string {
  return `${kind} ${metadata.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata.name}`
}

// biome-ignore lint/suspicious/noExplicitAny: raw and decoded objects alike
function wordsOf(object: any): string {
  const address = object.endpoints?.[0]?.ip ?? object.endpoints?.[0]?.addresses?.[0] ?? ''
  const port = object.ports?.[0]?.port ?? object.spec?.ports?.[0]?.port ?? ''
  return `${address} ${port}`
}
