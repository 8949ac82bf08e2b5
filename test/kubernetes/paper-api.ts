import { PassThrough } from 'node:stream'
import { expect } from 'vitest'
import type { Event } from '#kubernetes/event.ts'
import { type ApiNotice, NoticeLimiter } from '#kubernetes/notices.ts'
import { type ApiStats, freshStats } from '#kubernetes/stats.ts'
import type { ApiAnswer, Request } from '#kubernetes/transport.ts'
import { LIMITS } from '#kubernetes/watch/limits.ts'
import { Recovery } from '#kubernetes/watch/recovery.ts'
import { Reflector } from '#kubernetes/watch/reflector.ts'
import { watchedResources } from '#kubernetes/watch/resources.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { line, listEnd } from '../faults/scripted.ts'

// The reflector of our Node with its real limits, on a clock and a transport that the test moves and answers by hand.

export interface Asked extends Request {
  answer(status?: number, headers?: Record<string, string>): PassThrough
  fail(error: Error): void
}

export class PaperApi {
  readonly clock = new PaperClock(1_000_000)
  readonly asked: Asked[] = []
  readonly events: Event[] = []
  readonly notices: ApiNotice[] = []
  readonly stats: ApiStats = freshStats()
  readonly #stop = new AbortController()
  readonly #ended: Promise<void>

  /** Called with every event before the next one is asked for. */
  apply: () => void = () => {}

  constructor() {
    const { clock, stats, notices } = this
    const limiter = new NoticeLimiter(notice => notices.push(notice), clock, LIMITS.noticeEveryMs)
    const ports = { clock, random: () => 0.5, limits: LIMITS, stats: stats.Node, resource: watchedResources('n1')[2]! }
    const recovery = new Recovery({ ...ports, notices: limiter })
    const transport = { get: (request: Request) => this.#get(request) }
    this.#ended = this.#listen(new Reflector({ ...ports, transport, recovery, synced: () => {} }))
  }

  /** What was delivered: the zone of a Node that was put, and the type of everything else. */
  get zones(): unknown[] {
    return this.events.map(event =>
      event.type === 'put' && event.object.kind === 'Node' ? event.object.zone : event.type,
    )
  }

  /** Where the requests began. */
  get versions(): (string | null)[] {
    return this.asked.map(({ path }) => new URL(path, 'http://paper').searchParams.get('resourceVersion'))
  }

  /** Answers the first request with a picture, and leaves the watch open. */
  async synced(): Promise<PassThrough> {
    await this.clock.advance(0)
    const body = this.asked[0]!.answer()
    body.write(line('ADDED', rawZone(7)) + listEnd('10'))
    await this.clock.advance(0)
    expect(this.zones).toEqual(['z7', 'synced'])
    return body
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#ended
    expect(this.clock.sleepers).toBe(0)
  }

  async #listen(reflector: Reflector): Promise<void> {
    for await (const event of reflector.events(this.#stop.signal)) {
      this.events.push(event)
      this.apply()
    }
  }

  #get(request: Request): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      // As undici's, which may break while it is not read.
      const body = new PassThrough().on('error', () => {})
      request.signal.addEventListener('abort', () => {
        body.destroy(request.signal.reason)
        reject(request.signal.reason)
      })
      this.asked.push({
        ...request,
        answer(status = 200, headers = {}) {
          resolve({ status, headers, body: body as unknown as ApiAnswer['body'] })
          return body
        },
        fail: reject,
      })
    })
  }
}

/** The Node in one of its versions, which its zone shows. */
export function rawZone(version: number): object {
  const labels = { 'topology.kubernetes.io/zone': `z${version}` }
  const metadata = { name: 'n1', uid: 'u', resourceVersion: String(version), labels }
  return { metadata, status: { addresses: [{ type: 'InternalIP', address: '192.168.0.1' }] } }
}
