import type { Settings } from '#config/settings.ts'
import type { Event, Source } from '#kubernetes/event.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { AddressWatch, readHostNetwork } from '#proxy/node/host-network.ts'
import { type HostNetwork, localhostNodePorts, nodeReader } from '#proxy/node/node-view.ts'
import { allowLocalhost } from '#proxy/node/tuning.ts'
import type { KeeperOptions } from '#proxy/sync/belief/keeper.ts'
import { Lane, type LaneParts } from '#proxy/sync/lane.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Clock, Follow, Kernel, RulesetWatch } from '#system/ports.ts'
import { Health } from '#telemetry/health.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { logObject } from '#telemetry/log/kubernetes.ts'
import { logReport } from '#telemetry/log/report.ts'
import { FAMILY_LABEL, type Family, familyOf } from '#values/address.ts'
import type { ObjectName } from '#values/names.ts'
import { type FittedMode, fitFamilies, logLeftOut, needsOf } from './fit-mode.ts'
import { ModeSwitch } from './mode-switch.ts'
import type { Observer } from './observer.ts'

// A source of events and a kernel → one lane per family between them, and what all lanes share.

export interface AgentParts extends Pick<LaneParts, 'flows'> {
  readonly settings: Settings
  readonly nodeName: string
  readonly kernel: Kernel
  readonly clock: Clock
  readonly log: Log
  /** Starts a program on the node that reports changes there. */
  readonly follow?: Follow
  /** Commits to the node's ruleset: all lanes listen to it. */
  readonly rulesetWatch?: RulesetWatch
  /** Where lanes keep what they believe for the next process. */
  readonly keeping?: KeeperOptions
  readonly source: Source
  /** When the source last showed a sign of life; undefined for one that has ended. */
  readonly lastHeard: () => number | undefined
  /** Called after every sync, besides log and health. */
  readonly onReport?: (report: Report) => void
}

export class Agent {
  readonly cluster = new Cluster()
  readonly health: Health
  readonly #parts: AgentParts
  #lanes: readonly Lane[] = []
  /** Each ends the lane of a family that is left out. */
  readonly #ends = new Map<Family, AbortController>()
  /** Rejects where the host turns out to lack what the node's first family needs. */
  readonly #lacking = Promise.withResolvers<never>()
  readonly #families = new Map<Family, FittedMode>()
  /** Lanes whose first rules do not stand yet. */
  readonly #unready = new Set<Family>()
  /** Lanes that have not tried yet to write theirs; a watch that would slow them down starts once there is none. */
  readonly #untried = new Set<Family>()
  readonly #allTried = Promise.withResolvers<void>()
  #modeSwitch: ModeSwitch | undefined
  #signal = new AbortController().signal
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
    const { settings, log, kernel } = parts
    const [hostNetwork, fitted] = await Promise.all([
      readHostNetwork(kernel, needsOf(settings)),
      fitFamilies(parts, kernel),
    ])
    const agent = new Agent(parts, hostNetwork)
    log.say(`Using ${settings.mode} Proxier.`)
    for (const [family, mode] of fitted) {
      log.info(1, mode.why, { ipFamily: FAMILY_LABEL[family] })
      if (localhostNodePorts(settings, family, mode.mode.needs)) await allowLocalhost({ kernel, log })
      agent.#open(family, mode)
      agent.#families.set(family, mode)
    }
    return agent
  }

  /** Runs until the signal aborts; then commands that were started are finished, and rules stay. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal
    signal.addEventListener('abort', () => this.#allTried.resolve(), { once: true })
    await Promise.race([this.#work(signal), this.#lacking.promise]).finally(() => this.#lanes.map(lane => lane.close()))
  }

  async #work(signal: AbortSignal): Promise<void> {
    const lanes = this.#lanes.map(lane => lane.run(AbortSignal.any([signal, this.#ends.get(lane.family)!.signal])))
    const watching = [this.#followHost(signal), this.#doWithoutNode(signal)]
    for await (const event of this.#parts.source(signal)) this.#apply(event)
    await Promise.all([...lanes, ...watching])
    await this.#switching
    await Promise.all(this.#lanes.map(lane => lane.keep()))
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

  #open(family: Family, { mode, tools }: FittedMode): void {
    const { settings, nodeName, kernel, clock, flows, rulesetWatch, keeping } = this.#parts
    const { minSyncPeriodMs: minMs, syncPeriodMs } = settings
    const limits = { minMs, retryMs: syncPeriodMs, unwatchedMs: syncPeriodMs, distrustMs: DISTRUST_MS }
    this.health.expect(family)
    for (const waiting of [this.#unready, this.#untried]) waiting.add(family)
    this.#ends.set(family, new AbortController())
    const lane = new Lane({
      family,
      cluster: this.cluster,
      mode,
      kernel,
      flows,
      ...(rulesetWatch !== undefined && { ruleset: rulesetWatch }),
      ...(keeping !== undefined && {
        keeping: { ...keeping, identity: [...keeping.identity, JSON.stringify(tools ?? {})] },
      }),
      mayWatch: this.#allTried.promise,
      clock,
      limits,
      nodeReader: nodeReader({ settings, family, nodeName, hostNetwork: () => this.#hostNetwork }),
      onReport: report => this.#record(report),
    })
    this.#lanes = [...this.#lanes, lane]
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
    if (!this.#families.has(report.family)) return
    logReport(this.#parts.log, report)
    this.health.record(report)
    this.#tried(report.family)
    for (const { reported } of this.#observers) reported?.(report)
    if (report.failure !== undefined) void this.#explainFailure(report.family)
    else if (this.#unready.delete(report.family) || report.looked) this.#removeOtherModes()
  }

  #tried(family: Family): void {
    this.#untried.delete(family)
    if (this.#untried.size === 0) this.#allTried.resolve()
  }

  /** A host that refuses the first rules may lack what the mode needs: the family is left out, or the agent ends. */
  async #explainFailure(family: Family): Promise<void> {
    const { settings, log } = this.#parts
    const lacking = this.#unready.has(family) ? await this.#families.get(family)?.lacks?.() : undefined
    if (lacking === undefined || !this.#unready.has(family)) return
    if (family === familyOf(settings.bindAddress)) return this.#lacking.reject(lacking)
    logLeftOut(log, settings, family, lacking)
    this.#leaveOut(family)
  }

  #leaveOut(family: Family): void {
    this.#ends.get(family)?.abort()
    for (const lane of this.#lanes) if (lane.family === family) lane.close()
    this.#lanes = this.#lanes.filter(lane => lane.family !== family)
    this.#families.delete(family)
    this.health.leaveOut(family)
    this.#tried(family)
    if (this.#unready.delete(family)) this.#removeOtherModes()
  }

  /** Once our rules stand in every family, those of another mode are deleted; later reads retry what is left. */
  #removeOtherModes(): void {
    if (this.#unready.size > 0) return
    const { settings, kernel, clock, log } = this.#parts
    const families = new Map([...this.#families].map(([family, { tools }]) => [family, tools]))
    this.#modeSwitch ??= new ModeSwitch({ mode: settings.mode, kernel, clock, log, families })
    const modeSwitch = this.#modeSwitch
    this.#switching = (this.#switching ?? Promise.resolve()).then(() =>
      modeSwitch.runOften(settings.syncPeriodMs, this.#signal),
    )
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
    // The first rules do not wait for one more process to start.
    if (!signal.aborted) await this.#allTried.promise
    if (signal.aborted) return
    const addressWatch = new AddressWatch(follow, clock, needsOf(settings))
    signal.addEventListener('abort', () => addressWatch.stop(), { once: true })
    for (let waitMs = 0; !signal.aborted; waitMs = settings.syncPeriodMs) {
      await addressWatch.changeOr(waitMs, signal)
      if (signal.aborted) return
      const hostNetwork = await readHostNetwork(kernel, needsOf(settings), this.#hostNetwork)
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
