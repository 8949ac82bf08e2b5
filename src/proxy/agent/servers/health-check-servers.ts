import type { HealthCheck } from '#proxy/desired/health-checks.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Clock } from '#system/ports.ts'
import { serveUntilAborted } from '#system/serving.ts'
import { type HttpAnswer, PAGE_NOT_FOUND } from '#system/sockets.ts'
import { healthCheckAnswer } from '#telemetry/health-checks.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { errorText } from '#telemetry/log/klog-format.ts'
import type { Family } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'

// Health checks of Services → a small server for each, on the node port addresses, opened and closed as they change.

export interface HealthCheckServersParts {
  readonly clock: Clock
  readonly log: Log
  readonly nodeName: string
  /** Whether the proxy itself works. */
  readonly healthy: () => boolean
  /** A port could not be opened; called once until it can. */
  readonly failed: (failure: FailedHealthCheck) => void
}

export interface FailedHealthCheck {
  readonly service: ObjectName
  readonly port: number
  readonly reason: string
}

interface ListenAddress {
  readonly family: Family
  readonly host: string
  readonly port: number
}

interface HealthCheckListener {
  readonly at: ListenAddress
  readonly stop: AbortController
  readonly closed: Promise<void>
  state: 'waiting' | 'open'
}

/** Every address of the family and of no other: the other family has a server of its own, with its own count. */
const ALL: Readonly<Record<Family, string>> = { ipv4: '0.0.0.0', ipv6: '::' }

export class HealthCheckServers {
  readonly #parts: HealthCheckServersParts
  readonly #log: Log
  readonly #checks: Record<Family, ReadonlyMap<number, HealthCheck>> = { ipv4: new Map(), ipv6: new Map() }
  readonly #listeners = new Map<string, HealthCheckListener>()
  /** Listeners that still have their ports until their last connection has ended. */
  readonly #closing = new Set<HealthCheckListener>()
  #state: 'serving' | 'closed' = 'serving'

  constructor(parts: HealthCheckServersParts) {
    this.#parts = parts
    this.#log = parts.log
  }

  get wanted(): number {
    return this.#listeners.size
  }

  get open(): number {
    return [...this.#listeners.values()].filter(({ state }) => state === 'open').length
  }

  /** Replaces the health checks of this family. */
  want(family: Family, checks: readonly HealthCheck[], addresses: NodeView['nodePortAddresses']): void {
    if (this.#state === 'closed') return
    const before = this.#checks[family]
    this.#checks[family] = byPort(checks)
    const hosts: readonly string[] = addresses === 'all' ? [ALL[family]] : addresses
    const all = [...this.#checks[family].keys()].flatMap(port => hosts.map(host => ({ family, host, port })))
    const wanted = new Map(all.map(at => [keyOf(at), at]))
    for (const [key, listener] of this.#listeners) {
      const { at } = listener
      if (at.family === family && !wanted.has(key)) this.#close(listener, before.get(at.port))
    }
    for (const [key, at] of wanted) if (!this.#listeners.has(key)) this.#open(at)
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    for (const listener of this.#listeners.values()) this.#close(listener, this.#checkAt(listener.at))
    await Promise.all([...this.#closing].map(({ closed }) => closed))
  }

  #open(at: ListenAddress): void {
    const stop = new AbortController()
    const leaving = [...this.#closing].filter(closing => closing.at.family === at.family && closing.at.port === at.port)
    const free = Promise.all(leaving.map(({ closed }) => closed))
    const closed = free.then(() => this.#serve(at, stop.signal))
    this.#listeners.set(keyOf(at), { at, stop, closed, state: 'waiting' })
    this.#log.info(2, 'Opening healthcheck', about(at, this.#checkAt(at)))
  }

  #close(listener: HealthCheckListener, check: HealthCheck | undefined): void {
    this.#listeners.delete(keyOf(listener.at))
    this.#closing.add(listener)
    listener.stop.abort()
    void listener.closed.then(() => this.#closing.delete(listener))
    this.#log.info(2, 'Closing healthcheck', about(listener.at, check))
  }

  #serve(at: ListenAddress, signal: AbortSignal): Promise<void> {
    let isReported = false
    return serveUntilAborted({
      at,
      signal,
      clock: this.#parts.clock,
      answer: () => this.#answer(at),
      opened: () => {
        const listener = this.#listeners.get(keyOf(at))
        if (listener?.stop.signal === signal) listener.state = 'open'
      },
      failed: error => {
        if (!isReported && !signal.aborted) this.#report(at, error)
        isReported = true
      },
    })
  }

  /** The Service that has the port now: it may be another one than when the listener was opened. */
  #checkAt({ family, port }: ListenAddress): HealthCheck | undefined {
    return this.#checks[family].get(port)
  }

  #answer(at: ListenAddress): HttpAnswer {
    const check = this.#checkAt(at)
    return check === undefined ? PAGE_NOT_FOUND : healthCheckAnswer({ ...check, healthy: this.#parts.healthy() })
  }

  #report(at: ListenAddress, error: unknown): void {
    const check = this.#checkAt(at)
    if (check === undefined) return
    const { nodeName, failed } = this.#parts
    this.#log.error('Failed to start healthcheck', error, { node: nodeName, ...about(at, check) })
    failed({ service: check.service, port: at.port, reason: errorText(error) })
  }
}

/** Of two Services with one port, which an API server does not allow, the first by name has it. */
function byPort(checks: readonly HealthCheck[]): ReadonlyMap<number, HealthCheck> {
  return new Map(checks.toReversed().map(check => [check.port, check]))
}

function keyOf({ family, host, port }: ListenAddress): string {
  return `${family} ${host} ${port}`
}

function about({ host, port }: ListenAddress, check: HealthCheck | undefined): Record<string, unknown> {
  return { service: check?.service, port, address: host }
}
