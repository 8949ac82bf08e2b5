import { expect } from 'vitest'
import type { RangesSettings } from '#config/settings.ts'
import { HeldRanges } from '#ipam/nodes/blocks/held-ranges.ts'
import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import type { ApiObject, ApiStore } from '#lab/api-server/store.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { dividedRanges } from '#ranges/controller/controller.ts'
import { serveNodeRanges } from '#ranges/controller/ranges-service.ts'
import { parseCidr } from '#values/cidr.ts'
import { accepted } from '../../config/parsing.ts'
import { captureLog } from '../../support/captured-log.ts'

// A cluster with an API server over real HTTP, and controllers of its node ranges. Their time moves while a test waits.

export interface Running {
  readonly lines: readonly string[]
  /** Resolves when it has ended. */
  stop(): Promise<void>
}

export interface SeenEvent {
  readonly reason: string
  readonly note: string
  readonly type: string
  readonly regarding: { readonly kind: string; readonly name: string }
}

const STEP_MS = 100
/** A round without any change, sooner than in life. */
const EVERY_MS = 5000

export class ControlledCluster {
  readonly clock = new PaperClock(Date.parse('2026-11-20T10:00:00Z'))
  readonly #running: Running[] = []
  server: ApiServer
  #started = 0

  private constructor(server: ApiServer) {
    this.server = server
  }

  static async start(): Promise<ControlledCluster> {
    return new ControlledCluster(await startApiServer({ bookmarkMs: 20 }))
  }

  get store(): ApiStore {
    return this.server.store
  }

  /** As `switchyard ranges controller` with these flags. */
  async controller(...flags: readonly string[]): Promise<Running> {
    const argv = ['controller', '--ranges-metrics-bind-address=', '--leader-elect=false', ...flags]
    const { settings } = await accepted({ verb: 'ranges', argv })
    const divided = dividedRanges(settings)
    if (!divided.ok) throw new Error(divided.problems.join('; '))
    return this.run({ ranges: divided.ranges, settings: settings.ranges })
  }

  async run(parts: {
    readonly ranges: Parameters<typeof serveNodeRanges>[0]['ranges']
    readonly settings: RangesSettings
  }) {
    const { log, lines } = captureLog()
    const stop = new AbortController()
    const { clock } = this
    const name = `controller-${++this.#started}`
    const credentials = await credentialsFrom({
      master: this.server.url,
      ...{ env: {}, clock },
      files: { readText: () => Promise.reject(new Error('no files here')) },
      kernel: { run: async () => ({ code: 127, stdout: '', stderr: '' }) },
    })
    const service = {
      ...parts,
      credentials,
      clock,
      log,
      hostname: name,
      identity: name,
      random: Math.random,
      limits: { everyMs: EVERY_MS },
    }
    const ended = serveNodeRanges(service, stop.signal)
    let isOver = false
    void ended.finally(() => {
      isOver = true
    })
    const running: Running = {
      lines,
      stop: async () => {
        stop.abort()
        await this.until(() => isOver)
        await ended
      },
    }
    this.#running.push(running)
    return running
  }

  /** A Node; a spec that another program has set may be with it. */
  join(name: string, spec: Readonly<Record<string, unknown>> = {}): ApiObject {
    return this.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name }, spec })
  }

  leave(name: string): void {
    this.store.remove('Node', undefined, name)
  }

  podCIDRs(name: string): readonly string[] {
    const node = this.store.list('Node').find(({ metadata }) => metadata.name === name)
    const ranges = (node?.spec as { readonly podCIDRs?: unknown } | undefined)?.podCIDRs
    return Array.isArray(ranges) ? ranges : []
  }

  get nodes(): readonly string[] {
    return this.store.list('Node').map(({ metadata }) => metadata.name!)
  }

  /** Pairs of ranges of two nodes that have addresses in common. */
  doubled(): readonly string[] {
    const all = this.nodes.flatMap(name =>
      this.podCIDRs(name)
        .map(parseCidr)
        .filter(cidr => cidr !== undefined)
        .map(cidr => ({ name, cidr })),
    )
    const held = new HeldRanges(all.map(({ cidr }) => cidr))
    return all.flatMap(({ name, cidr }) => {
      const other = held.holderOf(cidr)
      held.hold(cidr, name)
      return other === undefined ? [] : [`${other} and ${name}: ${cidr}`]
    })
  }

  get record(): string {
    const [found] = this.store.list('ConfigMap').filter(({ metadata }) => metadata.name === 'switchyard-node-ranges')
    return (found?.data as { readonly record?: string } | undefined)?.record ?? ''
  }

  get lease(): Readonly<Record<string, unknown>> | undefined {
    return this.store.list('Lease')[0]?.spec as Readonly<Record<string, unknown>> | undefined
  }

  async events(): Promise<readonly SeenEvent[]> {
    const answer = await fetch(`${this.server.url}/apis/events.k8s.io/v1/events`)
    return ((await answer.json()) as { readonly items: readonly SeenEvent[] }).items
  }

  /** Time passes until it is so. */
  async until(isSo: () => boolean | Promise<boolean>): Promise<void> {
    const wait = async (): Promise<boolean> => {
      await this.clock.advance(STEP_MS)
      return isSo()
    }
    await expect.poll(wait, { interval: 5, timeout: 100_000 }).toBe(true)
  }

  async pass(ms: number): Promise<void> {
    const end = this.clock.now() + ms
    await this.until(() => this.clock.now() >= end)
  }

  async served(...names: readonly string[]): Promise<void> {
    await this.until(() => names.every(name => this.podCIDRs(name).length > 0))
  }

  async close(): Promise<void> {
    await Promise.all(this.#running.map(running => running.stop()))
    await this.server.close()
  }
}
