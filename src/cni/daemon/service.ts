import { engineNumbers } from '#command-line/engine-numbers.ts'
import { VERSION } from '#command-line/version.ts'
import { nodeName, type Settings } from '#config/settings.ts'
import { freeOf } from '#ipam/table/fullness.ts'
import { isPageServed } from '#page/paths.ts'
import { hostName } from '#system/host.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { HttpResponder } from '#system/sockets.ts'
import { processStartedAt, vitals } from '#system/vitals.ts'
import type { Log } from '#telemetry/log/klog.ts'
import { type AddressCounts, addressesText } from '#telemetry/numbers/addresses.ts'
import { LeakMetrics } from '#telemetry/numbers/leaks.ts'
import { type CurrentPodNumbers, PodsMetrics } from '#telemetry/numbers/pods.ts'
import { RouteMetrics } from '#telemetry/numbers/routes.ts'
import { type Address, isLoopback } from '#values/address.ts'
import { cidrFamily } from '#values/cidr.ts'
import { answer } from '../answer.ts'
import { type Daemon, openDaemon } from './daemon.ts'
import { type NodeMachine, type NodeMachineParts, nodeMachine, PLUGINS } from './machine.ts'
import { PodsPage } from './page/pods-page.ts'
import { servePages } from './pages.ts'
import { type RangeShares, rangeShares } from './ranges/range-shares.ts'
import { rangesApi, takeRanges } from './ranges/take-ranges.ts'
import { type ApiSettings, nodeApi } from './rounds/node-api.ts'
import { makeRounds } from './rounds/rounds.ts'
import { keepNodeRoutes } from './routes/node-routes.ts'

// Settings → the daemon of this node with everything around it, until it is stopped.

/** As compiled into the helper. */
export const SOCKET = '/run/switchyard/cni.sock'

export interface PodsServiceParts {
  readonly settings: Pick<
    Settings,
    'podsMetrics' | 'page' | 'leaks' | 'podRanges' | 'cni' | 'clusterCIDRs' | 'routes'
  > &
    ApiSettings
  readonly kernel: Kernel
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
}

/** Resolves when the signal has aborted and all calls that were begun have been answered. */
export async function servePods({ settings, kernel, clock, log, signal }: PodsServiceParts): Promise<void> {
  const shares = rangeShares(settings.podRanges)
  const api = await rangesApi(shares, { settings, kernel, clock })
  const failed = (error: Error): void =>
    log.error('Connections of released addresses were not forgotten', error, { next: 'they end by themselves' })
  // The daemon stands on the machine, and the machine counts the daemon's calls.
  let talking = (): number => 0
  const chosen: NodeMachineParts['chosen'] = (family, { tools, why }) =>
    log.info(1, 'Using iptables', { family, variant: tools.variant, why })
  const machine = nodeMachine({ kernel, clock, failed, chosen, expected: () => talking(), stopping: signal })
  const metrics = new PodsMetrics({ version: VERSION, node: process.version, startedAt: processStartedAt() })
  const [leakMetrics, routeMetrics] = [new LeakMetrics(), new RouteMetrics()]
  const people = new PodsPage()
  const daemon = await openDaemon({
    socket: SOCKET,
    answer: call => answer(call, { plugins: PLUGINS, machine, version: VERSION }),
    clock,
    log,
    observed: (summary, done) => {
      const { command, plugin, failure } = summary
      const { tookMs, waitedMs, abandoned } = done
      metrics.done({ command, plugin, code: failure?.code ?? 0, tookMs, waitedMs, abandoned: abandoned !== 'no' })
      people.calls.record(summary, done, clock.now())
    },
  })
  talking = daemon.talking
  log.info(0, 'Serving CNI calls', { socket: SOCKET, version: VERSION })
  const engine = engineNumbers()
  const shown = {
    metrics: async () =>
      metrics.text({ ...vitals(), underWay: daemon.underWay(), leases: await counted(machine) }) +
      addressesText(await addressCounts(machine)) +
      leakMetrics.text() +
      routeMetrics.text() +
      engine(),
    trouble: () =>
      counted(machine).then(counts => (counts === undefined ? 'the database of leases cannot be read' : undefined)),
  }
  const { podsMetrics: at } = settings
  const page = at === undefined ? undefined : pageFor(at.host, { settings, shares, people, daemon, clock })
  const pages = servePages({ at, shown, page, clock, log, signal })
  await releaseLeftOvers(machine, log)
  const { inTurn } = daemon
  const ranges = takeRanges({ settings, machine, api, clock, log, signal }, shares)
  const rounds = makeRounds({ settings, machine, inTurn, kernel, clock, log, metrics: leakMetrics, signal })
  const routesApi = await nodeApi({ settings, kernel, clock })
  const routes = keepNodeRoutes({
    ...{ settings, shares, api: routesApi, machine, kernel, clock, log, metrics: routeMetrics, signal },
    picture: people.picture,
  }).finally(() => routesApi?.close())
  await Promise.race([untilAborted(signal), daemon.keepReachable(signal)])
  log.info(0, 'Stopping', { underWay: daemon.underWay() })
  await daemon.stop()
  await Promise.all([pages, rounds, ranges, routes])
  await machine.idle()
  machine.close()
}

interface PageParts extends Pick<PodsServiceParts, 'settings' | 'clock'> {
  readonly shares: RangeShares
  readonly people: PodsPage
  readonly daemon: Pick<Daemon, 'underWay'>
}

/** Undefined where it is turned off. */
function pageFor(host: Address, { settings, shares, people, daemon, clock }: PageParts): HttpResponder | undefined {
  if (!isPageServed(settings.page, host)) return undefined
  const said = settings.clusterCIDRs.length === 0 ? [] : [{ name: 'Cluster', ranges: settings.clusterCIDRs }]
  const ring = shares.from === 'ring' ? [{ name: 'Ring', ranges: [shares.range] }] : []
  return people.responder({
    ...{ nodeName: nodeName(settings, hostName()), clock, underWay: daemon.underWay, rangesFrom: shares.from },
    ...{ clusterRanges: [...said, ...ring], isLoopback: isLoopback(host) },
  })
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise(resolve => signal.addEventListener('abort', resolve, { once: true }))
}

/** Undefined where the database cannot be read. */
async function counted(machine: NodeMachine): Promise<CurrentPodNumbers['leases']> {
  try {
    return (await machine.leases()).counts()
  } catch {
    return undefined
  }
}

/** None where the database cannot be read. */
async function addressCounts(machine: NodeMachine): Promise<readonly AddressCounts[]> {
  try {
    return (await machine.leases()).usages().map(({ network, set, ranges: [{ subnet }], usage }) => {
      const { size, assigned: used, cooling, elsewhere } = usage
      return { network, set, family: cidrFamily(subnet), size, used, cooling, elsewhere, free: freeOf(usage) }
    })
  } catch {
    return []
  }
}

/**
 * What no namespace has any longer since the machine started anew. A database that cannot be opened is no reason to end:
 * `loopback` needs none, and each call says what is wrong.
 */
async function releaseLeftOvers(machine: NodeMachine, log: Log): Promise<void> {
  try {
    const leases = await machine.leases()
    leases.verify()
    const released = await leases.releaseLeftOvers()
    if (released.length > 0) log.info(0, 'Released leases of an earlier boot', { count: released.length })
  } catch (error) {
    log.error('Leases cannot be read', error, { next: 'each call that needs one fails' })
  }
}
