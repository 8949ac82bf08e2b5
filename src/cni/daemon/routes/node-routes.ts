import type { Settings } from '#config/settings.ts'
import { keepRoutes } from '#routes/keeper.ts'
import { ForwardKeeper } from '#routes/masquerade/forward-keeper.ts'
import { insideRanges } from '#routes/masquerade/inside.ts'
import { MasqueradeKeeper } from '#routes/masquerade/masquerade-keeper.ts'
import { ROUTE_PROTOCOL } from '#routes/plan/route-plan.ts'
import type { RouteReport } from '#routes/round.ts'
import { openRouteWatch } from '#system/network/route-watch.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { Log } from '#telemetry/log/klog.ts'
import type { RouteMetrics } from '#telemetry/numbers/routes.ts'
import type { Address } from '#values/address.ts'
import type { NodeMachine } from '../machine.ts'
import type { RoutePicture } from '../page/route-picture.ts'
import type { RangeShares } from '../ranges/range-shares.ts'
import type { NodeApi } from '../rounds/node-api.ts'
import { areRoutesKept } from './kept.ts'
import { withoutRoutes } from './without-routes.ts'

// Settings, and the Nodes of the API server → routes to the ranges of other nodes and the rules for what leaves the cluster, for
// as long as the daemon runs.

export interface NodeRoutesParts {
  readonly settings: Pick<Settings, 'routes' | 'clusterCIDRs'>
  /** Where ranges come from. */
  readonly shares: RangeShares
  /** Undefined where no API server is configured. */
  readonly api: NodeApi | undefined
  readonly machine: Pick<NodeMachine, 'networks' | 'grants'>
  readonly kernel: Kernel
  readonly clock: Clock
  readonly log: Log
  readonly metrics: RouteMetrics
  /** For the page. */
  readonly picture: RoutePicture
  readonly signal: AbortSignal
}

/** Resolves when the signal has aborted and what was under way is done; at once where routes are not to be kept. */
export async function keepNodeRoutes(parts: NodeRoutesParts): Promise<void> {
  const { settings, shares, api, machine, kernel, clock, log, metrics, picture, signal } = parts
  if (settings.routes.keep === 'off') await takeAway(parts)
  if (!areRoutesKept(settings, shares)) return
  if (api === undefined) {
    log.warning('Routes to other nodes are not kept: no API server is configured', { routes: settings.routes.keep })
    return
  }
  const { masquerade: choice, overlay, vni, port } = settings.routes
  const observed = (why: 'begun' | 'repaired' | 'failed') => metrics.masqueradeWritten(why)
  const outbound = new MasqueradeKeeper({ choice, kernel, clock, log, observed })
  const forwarding = new ForwardKeeper({ kernel, clock, log })
  const [ranges, said] =
    shares.from === 'ring'
      ? (['of the ring', [...settings.clusterCIDRs, shares.range]] as const)
      : (['of Nodes', settings.clusterCIDRs] as const)
  // With the HTTP client, which a daemon without an API server does without.
  const { followNodes } = await import('./follow-nodes.ts')
  const nodes = followNodes({ api, ranges, clock, random: Math.random, log, signal })
  const kept = keepRoutes({
    ...{ nodeName: api.nodeName, settings: { overlay, vni, port }, view: nodes.view, networks: machine.networks },
    ...{ clock, log, signal, ownAddresses: () => gateways(machine, shares) },
    watch: links => openRouteWatch({ protocol: ROUTE_PROTOCOL, links }),
    observed: report => {
      if (report === 'failed') return metrics.roundFailed()
      metrics.round(numbersOf(report))
      picture.round(report, clock.now())
    },
    kept: async ({ ranges: own }, all) => {
      picture.cluster(all)
      const ofNodes = all.flatMap(node => node.ranges)
      const cluster = insideRanges(said, ofNodes)
      await Promise.all([outbound.keep({ own, cluster }), forwarding.keep(cluster)])
    },
  })
  await Promise.all([kept, nodes.ended])
}

/** What a daemon with other settings has laid, another program's routes may meet. */
async function takeAway({ machine, kernel, log }: NodeRoutesParts): Promise<void> {
  const { networks } = machine
  const done = await withoutRoutes({ networks, kernel }).catch((error: Error) => [`Left rules: ${error.message}.`])
  for (const sentence of done) log.info(0, sentence)
}

/** A stretch of the ring is no network: its first address may be a pod's. */
async function gateways(
  { grants }: Pick<NodeMachine, 'grants'>,
  { from }: RangeShares,
): Promise<readonly Address[] | undefined> {
  if (from !== 'ring') return undefined
  const sets = (await grants()).load()?.sets ?? []
  return sets.map(([{ gateway }]) => gateway).filter(gateway => gateway !== undefined)
}

function numbersOf({ plan, standing, repaired }: RouteReport) {
  return {
    wanted: plan.routes.length + plan.refused.length,
    installed: standing.size,
    refused: plan.refused.length,
    repaired: repaired.length,
    overlayNodes: plan.overlay?.tunnels.length ?? 0,
  }
}
