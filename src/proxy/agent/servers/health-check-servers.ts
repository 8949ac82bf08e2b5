import type { HealthCheck } from '#proxy/desired/health-checks.ts'
import type { NodeView } from '#proxy/desired/node-view.ts'
import type { Clock } from '#system/ports.ts'
import { type HttpAnswer, PAGE_NOT_FOUND } from '#system/sockets.ts'
import { healthCheckAnswer } from '#telemetry/health-checks.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { errorText } from '#telemetry/log/klog-format.ts'
import type { Family } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { serveUntilAborted } from './serving.ts'

// Which health checks there should be → a small server at each, on the node port addresses, opened and closed as they change.

export interface HealthCheckServersParts {
  readonly clock: Clock
  readonly log: Log
  readonly nodeName: string
  /** Whether the proxy itself works. */
  readonly healthy: () => boolean
  /** A port could not be had; told once until it could. */
  readonly failed: (failure: FailedHealthCheck) => void
}

export interface FailedHealthCheck {
  readonly service: ObjectName
  readonly port: number
  readonly reason: string
}

/** Where one server stands. */
interface Spot {
  readonly family: Family
  readonly host: string
  readonly port: number
}

interface Door {
  readonly spot: Spot
  readonly stop: AbortController
  readonly closed: Promise<void>
  state: 'waiting' | 'open'
}

/** Every address of the family and of no other: the other one has a server of its own, with its own count. */
const ALL: Readonly<Record<Family, string>> = { ipv4: '0.0.0.0', ipv6: '::' }

export class HealthCheckServers {
  readonly #parts: HealthCheckServersParts
  readonly #log: Log
  readonly #checks: Record<Family, ReadonlyMap<number, HealthCheck>> = { ipv4: new Map(), ipv6: new Map() }
  readonly #doors = new Map<string, Door>()
  /** What is on its way out still has its port. */
  readonly #closing = new Set<Door>()
  #state: 'serving' | 'closed' = 'serving'

  constructor(parts: HealthCheckServersParts) {
    this.#parts = parts
    this.#log = parts.log
  }

  get wanted(): number {
    return this.#doors.size
  }

  get open(): number {
    return [...this.#doors.values()].filter(({ state }) => state === 'open').length
  }

  /** From now on these, and no others in this family. */
  want(family: Family, checks: readonly HealthCheck[], addresses: NodeView['nodePortAddresses']): void {
    if (this.#state === 'closed') return
    const before = this.#checks[family]
    this.#checks[family] = byPort(checks)
    const hosts: readonly string[] = addresses === 'all' ? [ALL[family]] : addresses
    const spots = [...this.#checks[family].keys()].flatMap(port => hosts.map(host => ({ family, host, port })))
    const wanted = new Map(spots.map(spot => [keyOf(spot), spot]))
    for (const [key, door] of this.#doors) {
      if (door.spot.family === family && !wanted.has(key)) this.#close(door, before.get(door.spot.port))
    }
    for (const [key, spot] of wanted) if (!this.#doors.has(key)) this.#open(spot)
  }

  async close(): Promise<void> {
    this.#state = 'closed'
    for (const door of this.#doors.values()) this.#close(door, this.#check(door.spot))
    await Promise.all([...this.#closing].map(({ closed }) => closed))
  }

  #open(spot: Spot): void {
    const stop = new AbortController()
    const leaving = [...this.#closing].filter(door => door.spot.family === spot.family && door.spot.port === spot.port)
    const free = Promise.all(leaving.map(({ closed }) => closed))
    const closed = free.then(() => this.#serve(spot, stop.signal))
    this.#doors.set(keyOf(spot), { spot, stop, closed, state: 'waiting' })
    this.#log.info(2, 'Opening healthcheck', about(spot, this.#check(spot)))
  }

  #close(door: Door, check: HealthCheck | undefined): void {
    this.#doors.delete(keyOf(door.spot))
    this.#closing.add(door)
    door.stop.abort()
    void door.closed.then(() => this.#closing.delete(door))
    this.#log.info(2, 'Closing healthcheck', about(door.spot, check))
  }

  #serve(spot: Spot, signal: AbortSignal): Promise<void> {
    let told = false
    return serveUntilAborted({
      at: spot,
      signal,
      clock: this.#parts.clock,
      answer: () => this.#answer(spot),
      opened: () => {
        const door = this.#doors.get(keyOf(spot))
        if (door?.stop.signal === signal) door.state = 'open'
      },
      failed: error => {
        if (!told && !signal.aborted) this.#tell(spot, error)
        told = true
      },
    })
  }

  /** Whoever has the port now: it may have changed hands since the door was opened. */
  #check({ family, port }: Spot): HealthCheck | undefined {
    return this.#checks[family].get(port)
  }

  #answer(spot: Spot): HttpAnswer {
    const check = this.#check(spot)
    return check === undefined ? PAGE_NOT_FOUND : healthCheckAnswer({ ...check, healthy: this.#parts.healthy() })
  }

  #tell(spot: Spot, error: unknown): void {
    const check = this.#check(spot)
    if (check === undefined) return
    const { nodeName, failed } = this.#parts
    this.#log.error('Failed to start healthcheck', error, { node: nodeName, ...about(spot, check) })
    failed({ service: check.service, port: spot.port, reason: errorText(error) })
  }
}

/** Of two Services with one port, which an API server does not allow, the first by name has it. */
function byPort(checks: readonly HealthCheck[]): ReadonlyMap<number, HealthCheck> {
  return new Map(checks.toReversed().map(check => [check.port, check]))
}

function keyOf({ family, host, port }: Spot): string {
  return `${family} ${host} ${port}`
}

function about({ host, port }: Spot, check: HealthCheck | undefined): Record<string, unknown> {
  return { service: check?.service, port, address: host }
}
