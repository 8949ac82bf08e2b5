import { vi } from 'vitest'
import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import type { Event } from '#kubernetes/event.ts'
import type { ClusterObject, ObjectKind } from '#kubernetes/objects.ts'
import { freshStats } from '#kubernetes/stats.ts'
import { Agent } from '#proxy/agent/agent.ts'
import type { PodViews } from '#proxy/agent/page/sources.ts'
import { Telemetry } from '#proxy/agent/telemetry.ts'
import { systemClock } from '#system/clock.ts'
import type { Kernel } from '#system/ports.ts'
import { settings as settingsOf } from '../config/parsing.ts'
import { ObedientKernel } from '../effects/obedient-kernel.ts'
import { captureLog } from '../support/captured-log.ts'
import { freePort } from '../support/local-ports.ts'

// A whole agent on a kernel that takes all it is given, with its page on a port of this machine.

export interface StageOptions {
  readonly flags?: readonly string[]
  /** One that no program has, where it does not say. */
  readonly port?: number
  readonly kernel?: Kernel
  readonly podViews?: () => Promise<PodViews>
}

const PATIENCE = { timeout: 100_000, interval: 10 }

export class AgentStage {
  readonly port: number
  readonly agent: Agent
  readonly lines: readonly string[]
  readonly #events: Event[]
  readonly #stop: AbortController
  readonly #ended: Promise<unknown>
  #wake = () => {}

  private constructor(
    parts: Pick<AgentStage, 'port' | 'agent' | 'lines'> & { telemetry: Telemetry; queue: EventQueue },
  ) {
    const { port, agent, lines, telemetry, queue } = parts
    this.port = port
    this.agent = agent
    this.lines = lines
    this.#events = queue.events
    this.#wake = () => queue.wake()
    this.#stop = queue.stop
    const { signal } = this.#stop
    this.#ended = Promise.all([telemetry.serve(agent, signal), agent.run(signal)])
  }

  /** Resolves when its port answers. */
  static async open({
    flags = [],
    kernel = new ObedientKernel(),
    podViews,
    ...options
  }: StageOptions = {}): Promise<AgentStage> {
    const port = options.port ?? (await freePort())
    const settings = await settingsOf(
      ...[`--metrics-bind-address=127.0.0.1:${port}`, '--healthz-bind-address=', '--proxy-mode=nftables'],
      ...['--iptables-min-sync-period=0', '--hostname-override=here', ...flags],
    )
    const { log, lines } = captureLog(3)
    const queue = new EventQueue()
    const files = { readText: () => Promise.reject(new Error('no file here')) }
    // Events are sent to where no server is: the agent goes on without.
    const credentials = await credentialsFrom({
      master: 'http://127.0.0.1:9',
      env: {},
      files,
      kernel,
      clock: systemClock,
    })
    const telemetry = new Telemetry({
      ...{ settings, configuration: {}, flags: new Map(), log, clock: systemClock, kernel, credentials },
      ...{ nodeName: 'here', hostname: 'here.example.org', stats: freshStats() },
      ...(podViews !== undefined && { podViews }),
    })
    const agent = await Agent.open({
      ...{ settings, nodeName: 'here', kernel: telemetry.kernel(kernel), clock: systemClock, log },
      source: signal => queue.until(signal),
      lastHeard: () => undefined,
    })
    const stage = new AgentStage({ port, agent, lines, telemetry, queue })
    await vi.waitUntil(() => lines.some(line => line.startsWith('"Starting metrics HTTP server"')), PATIENCE)
    return stage
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  put(...objects: readonly ClusterObject[]): void {
    for (const object of objects) this.#events.push({ type: 'put', object })
    this.#wake()
  }

  remove({ kind, name }: ClusterObject): void {
    this.#events.push({ type: 'gone', kind, name })
    this.#wake()
  }

  synced(): void {
    for (const kind of ['Service', 'EndpointSlice', 'Node'] satisfies ObjectKind[])
      this.#events.push({ type: 'synced', kind })
    this.#wake()
  }

  /** The first rules of both families stand. */
  async ready(): Promise<void> {
    const complete = (): number => this.lines.filter(line => line.startsWith('"Sync complete"')).length
    await vi.waitUntil(() => complete() > 1, PATIENCE)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#ended
  }
}

class EventQueue {
  readonly events: Event[] = []
  readonly stop = new AbortController()
  wake = (): void => {}

  async *until(signal: AbortSignal): AsyncGenerator<Event> {
    signal.addEventListener('abort', () => this.wake())
    for (let at = 0; !signal.aborted; ) {
      const event = this.events[at]
      if (event !== undefined) at++
      if (event !== undefined) yield event
      else {
        this.events.length = 0
        at = 0
        await new Promise<void>(resolve => (this.wake = resolve))
      }
    }
  }
}
