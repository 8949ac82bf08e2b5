import type { Invocation } from '#command-line/start.ts'
import type { Settings } from '#config/settings.ts'
import { type CredentialsOptions, credentialsFrom } from '#kubernetes/access/credentials.ts'
import { apiSource } from '#kubernetes/sources/api-source.ts'
import { prefetch } from '#kubernetes/sources/prefetch.ts'
import { type ApiStats, type ExtraKind, freshStats } from '#kubernetes/stats.ts'
import type { KeeperOptions } from '#proxy/sync/belief/keeper.ts'
import type { Clock, Follow, Kernel, RulesetWatch } from '#system/ports.ts'
import { logNotices } from '#telemetry/log/kubernetes.ts'
import { Agent } from './agent.ts'
import { type DataPlaneParts, dataPlane } from './data-plane.ts'
import { needsOf } from './fit-mode.ts'
import { Telemetry, type TelemetryParts } from './telemetry.ts'

// The proxy's ends (a node's kernel, an API server) → an agent between them, with its metrics, probes and Events.
// `run` plugs in the host and its cluster, the sandbox a network namespace and the lab's API server.

export interface ProxyEnds extends Pick<DataPlaneParts, 'relayOf' | 'flows'>, Pick<TelemetryParts, 'podViews'> {
  readonly nodeName: string
  /** The name the operating system has for this host. */
  readonly hostname: string
  /** Of the node that gets the rules. */
  readonly kernel: Kernel
  /** Starts a program on the node that reports changes there. */
  readonly follow: Follow
  /** Commits to the node's ruleset. */
  readonly rulesetWatch: RulesetWatch
  /** Where what is believed of the kernel is kept for the next process, with what it is true of. */
  readonly keeping?: KeeperOptions
  /** How the API server is reached. */
  readonly access: Pick<CredentialsOptions, 'kubeconfig' | 'master' | 'env' | 'files' | 'kernel'>
  readonly clock: Clock
  /** Prepares the node for its rules, while the first lists of the API server arrive. */
  readonly prepare: () => Promise<void>
}

export interface RunningProxy {
  readonly agent: Agent
  readonly telemetry: Telemetry
}

/** Throws where the node lacks what the mode needs, or the settings name no usable API server. */
export async function openProxy(invocation: Invocation, ends: ProxyEnds, signal: AbortSignal): Promise<RunningProxy> {
  const { settings, log } = invocation
  const { access, prepare, kernel, relayOf, ...about } = ends
  const { clock } = about
  const credentials = await credentialsFrom({ ...access, clock })
  const extras = extraKinds(settings)
  const stats = freshStats(extras)
  const telemetry = new Telemetry({ ...invocation, ...about, kernel, credentials, stats })
  const { observer } = telemetry
  const api = apiSource({
    ...about,
    credentials,
    random: Math.random,
    onNotice: logNotices(log),
    stats,
    extras,
    observer,
  })
  const source = prefetch(api, signal)
  await prepare()
  const lost = (): void => agent.distrust()
  const agent = await Agent.open({
    ...about,
    settings,
    kernel: dataPlane({
      settings,
      kernel: telemetry.kernel(kernel),
      flows: about.flows,
      log,
      lost,
      signal,
      ...(relayOf !== undefined && { relayOf }),
    }),
    log,
    source,
    lastHeard: () => lastHeard(stats),
  })
  return { agent, telemetry }
}

/** Resolves when the signal aborts and everything has ended; the first part that fails ends the others. */
export async function runProxy(
  { agent, telemetry }: RunningProxy,
  stop: AbortController,
  beside: readonly Promise<void>[] = [],
): Promise<void> {
  const { signal } = stop
  const tasks = [telemetry.serve(agent, signal), agent.run(signal), ...beside]
  try {
    await Promise.all(tasks)
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(tasks)
    throw error
  }
}

/** Only nftables mode has rules for addresses that no Service has. */
export function extraKinds(settings: Settings): readonly ExtraKind[] {
  return needsOf(settings).serviceRanges ? ['ServiceCIDR'] : []
}

/** The longest silent of the watches the agent cannot do without: one is enough for the cluster to be out of date. */
export function lastHeard({ ServiceCIDR: _, ...needed }: ApiStats): number {
  return Math.min(...Object.values(needed).map(({ lastActivityAt }) => lastActivityAt))
}
