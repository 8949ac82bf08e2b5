import type { Settings } from '#config/settings.ts'
import type { Event, Source } from '#kubernetes/event.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { AddressWatch, readHostNetwork } from '#proxy/node/host-network.ts'
import { type HostNetwork, localhostNodePorts, nodeReader } from '#proxy/node/node-view.ts'
import { allowLocalhost } from '#proxy/node/tuning.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Clock, Follow, Kernel, RulesetWatch } from '#system/ports.ts'
import { Health } from '#telemetry/health.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { logObject } from '#telemetry/log/kubernetes.ts'
import { logReport } from '#telemetry/log/report.ts'
import { FAMILIES, FAMILY_LABEL, type Family, familyOf } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { type FittedMode, fitMode, isMissingFamily } from './fit-mode.ts'
import { ModeSwitch } from './mode-switch.ts'

// A source of events and a kernel → one lane per family between them, and what all lanes share.

export interface AgentParts {
  readonly settings: Settings
  readonly nodeName: string
  readonly kernel: Kernel
  readonly clock: Clock
  readonly log: Log
  /** Starts a program on the node that reports changes there. */
  readonly follow?: Follow
  /** Commits to the node's ruleset: all lanes listen to it. */
  readonly rulesetWatch?: RulesetWatch
  readonly source: Source
  /** When the source last showed a sign of life; undefined for one that has ended. */
  readonly lastHeard: () => number | undefined
  /** Called after every sync, besides log and health. */
  readonly onReport?: (report: Report) => void
}

/** Calls at what happens, besides log and health. */
export interface Observer {
  /** The cluster has taken an event. */
  readonly applied?: (event: Event) => void
  /** A change waits for this lane. */
  readonly queued?: (family: Family) => void
  readonly reported?: (report: Report) => void
}

export class Agent {
  readonly cluster = new Cluster()
  readonly health: Health
  readonly #parts: AgentParts
  readonly #lanes: Lane[] = []
  readonly #families = new Map<Family, FittedMode>()
  /** Lanes whose first rules do not stand yet. */
  readonly #unready = new Set<Family>()
  /** Lanes that have not tried yet to write theirs; a watch that would slow them down starts once there is none. */
  readonly #untried = new Set<Family>()
  readonly #allTried = Promise.withResolvers<void>()
  #modeSwitch: ModeSwitch | undefined
  #switching: Promise<void> | undefined
  readonly #observers: Observer[] = []
  #hostNetwork: HostNetwork

  private constructor(parts: AgentParts, hostNetwork: HostNetwork) {
    const { settings, clock, lastHeard } = parts
    this.#parts = parts
    this.#hostNetwork = hostNetwork
    if (parts.onReport !== undefined) this.observe({ reported: parts.onReport })
    const overdueMs = 2 * settings.syncPeriodMs
    this.health = new Health(
      clock,
      { overdueMs, silentMs: SILENT_MS, stuckMs: Math.max(STUCK_MS, overdueMs) },
      lastHeard,
    )
  }

  /** Reads the host and fits the mode to it; throws where it lacks what the mode needs. */
  static async open(parts: AgentParts): Promise<Agent> {
    const agent = new Agent(parts, await readHostNetwork(parts.kernel, parts.settings.mode))
    const { settings, log, kernel } = parts
    const fitted = await fitFamilies(parts)
    log.say(`Using ${settings.mode} Proxier.`)
    for (const [family, { mode, why }] of fitted) {
      log.info(1, why, { ipFamily: FAMILY_LABEL[family] })
      if (localhostNodePorts(settings, family)) await allowLocalhost({ kernel, log })
      agent.#open(family, mode)
      agent.#families.set(family, fitted.get(family)!)
    }
    return agent
  }

  /** Runs until the signal aborts; then commands that were started are finished, and rules stay. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#allTried.resolve(), { once: true })
    const lanes = this.#lanes.map(lane => lane.run(signal))
    const watching = [this.#followHost(signal), this.#doWithoutNode(signal)]
    for await (const event of this.#parts.source(signal)) this.#apply(event)
    await Promise.all([...lanes, ...watching])
    await this.#switching
  }

  /** Other programs may have changed our rules: the next sync of each lane reads the kernel. */
  distrust(): void {
    for (const lane of this.#lanes) lane.distrust()
  }

  observe(observer: Observer): void {
    this.#observers.push(observer)
  }

  get lanes(): readonly Lane[] {
    return this.#lanes
  }

  #open(family: Family, mode: FittedMode['mode']): void {
    const { settings, nodeName, kernel, clock, rulesetWatch } = this.#parts
    const { minSyncPeriodMs: minMs, syncPeriodMs } = settings
    const limits = { minMs, retryMs: syncPeriodMs, unwatchedMs: syncPeriodMs, distrustMs: DISTRUST_MS }
    this.health.expect(family)
    this.#unready.add(family)
    this.#untried.add(family)
    this.#lanes.push(
      new Lane({
        family,
        cluster: this.cluster,
        mode,
        kernel,
        ...(rulesetWatch !== undefined && { ruleset: rulesetWatch }),
        mayWatch: this.#allTried.promise,
        clock,
        limits,
        nodeReader: nodeReader({ settings, family, nodeName, hostNetwork: () => this.#hostNetwork }),
        onReport: report => this.#record(report),
      }),
    )
  }

  #apply(event: Event): void {
    logObject(this.#parts.log, event)
    const { services, node, ranges } = this.cluster.apply(event)
    for (const { applied } of this.#observers) applied?.(event)
    if (node) this.health.node(this.cluster.node)
    if (event.type === 'gone' && event.kind === 'Node') this.health.node(undefined)
    if (services.size > 0 || node || ranges || event.type === 'synced') this.#touch(services)
  }

  #touch(services: Iterable<ObjectName>): void {
    for (const lane of this.#lanes) {
      lane.touch(services)
      if (this.cluster.complete) this.health.queued(lane.family)
      for (const { queued } of this.#observers) queued?.(lane.family)
    }
  }

  #record(report: Report): void {
    logReport(this.#parts.log, report)
    this.health.record(report)
    this.#untried.delete(report.family)
    if (this.#untried.size === 0) this.#allTried.resolve()
    for (const { reported } of this.#observers) reported?.(report)
    if (report.failure === undefined) this.#removeOtherModes(report)
  }

  /** Once our rules stand in every family, those of another mode are deleted; later reads retry what is left. */
  #removeOtherModes({ family, looked }: Report): void {
    this.#unready.delete(family)
    if (this.#unready.size > 0 || !(looked || this.#modeSwitch === undefined)) return
    const { settings, kernel, clock, log } = this.#parts
    const families = new Map([...this.#families].map(([family, { tools }]) => [family, tools]))
    this.#modeSwitch ??= new ModeSwitch({ mode: settings.mode, kernel, clock, log, families })
    const modeSwitch = this.#modeSwitch
    this.#switching = (this.#switching ?? Promise.resolve()).then(() => modeSwitch.run())
  }

  /** Without its Node the agent lacks addresses and zone; Services work all the same where the API server hides it. */
  async #doWithoutNode(signal: AbortSignal): Promise<void> {
    const { clock, log, nodeName } = this.#parts
    while (!signal.aborted && !(this.cluster.has('Service') && this.cluster.has('EndpointSlice')))
      await clock.sleep(1000, signal)
    await clock.sleep(NODE_PATIENCE_MS, signal)
    if (signal.aborted || this.cluster.has('Node')) return
    log.warning('Timed out waiting for our Node; going on without its addresses and zone', { node: nodeName })
    this.#apply({ type: 'synced', kind: 'Node' })
  }

  /** Addresses and routes come and go; node ports, and the parts of Service ranges that are left alone, follow them. */
  async #followHost(signal: AbortSignal): Promise<void> {
    const { clock, kernel, settings, follow } = this.#parts
    const addressWatch = new AddressWatch(follow, clock, settings.mode)
    signal.addEventListener('abort', () => addressWatch.stop(), { once: true })
    while (!signal.aborted) {
      await addressWatch.changeOr(settings.syncPeriodMs, signal)
      if (signal.aborted) return
      const hostNetwork = await readHostNetwork(kernel, settings.mode, this.#hostNetwork)
      if (hostNetwork === this.#hostNetwork) continue
      this.#hostNetwork = hostNetwork
      this.#touch([])
    }
  }
}

/** Bookmarks come every minute on a quiet watch; after this long without one the API server counts as silent. */
const SILENT_MS = 5 * 60_000
/** A read and a write of a large node may take a quarter of an hour each; a refused sync is tried again at once. */
const STUCK_MS = 60 * 60_000
/** As long as kube-proxy waits for it. */
const NODE_PATIENCE_MS = 30_000
/** The kernel is audited at least this often, also while a program reports its changes. */
const DISTRUST_MS = 60 * 60_000

/** The node's first family must work; the other is left out where the host has no tools for it. */
async function fitFamilies({ settings, kernel, log }: AgentParts): Promise<ReadonlyMap<Family, FittedMode>> {
  const primary = familyOf(settings.bindAddress)
  const tried = await Promise.allSettled(FAMILIES.map(family => fitMode(settings, family, kernel)))
  const fitted = new Map<Family, FittedMode>()
  const missing = new Map<Family, unknown>()
  tried.forEach((one, i) => {
    if (one.status === 'fulfilled') fitted.set(FAMILIES[i]!, one.value)
    else missing.set(FAMILIES[i]!, one.reason)
  })
  for (const [family, error] of missing) {
    if (family === primary || !isMissingFamily(error)) throw missing.get(primary) ?? error
  }
  for (const [family, error] of missing) {
    const about = { ipFamily: FAMILY_LABEL[family], reason: (error as Error).message }
    log.info(0, `No ${settings.mode} support for family`, about)
  }
  return fitted
}
