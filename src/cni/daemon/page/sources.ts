import { VERSION } from '#command-line/version.ts'
import type { HealthView } from '#page/views/health.ts'
import type { PageSources } from '#page/views/sources.ts'
import type { Clock } from '#system/ports.ts'
import { processStartedAt, vitals } from '#system/vitals.ts'
import { formatDuration } from '#values/duration.ts'
import type { CallHistory } from './call-history.ts'
import { leaseViews } from './lease-views.ts'
import type { RoutePicture } from './route-picture.ts'

// A running daemon → all that its page shows. Loaded with the page, when one is asked for.

export interface PodsPageParts {
  readonly nodeName: string
  readonly clock: Clock
  readonly calls: CallHistory
  readonly picture: RoutePicture
  readonly underWay: () => number
  /** Where ranges come from, in a word: `config`, `node`, `ring`. */
  readonly rangesFrom: string
  /** Of the ring, where there is one, and what else the cluster has by the settings. */
  readonly clusterRanges: readonly { readonly name: string; readonly ranges: readonly string[] }[]
  readonly database?: string
}

export async function podsSources(parts: PodsPageParts): Promise<PageSources> {
  const { nodeName, clock, calls, picture, clusterRanges, database } = parts
  const { addresses, sets } = await leaseViews({ database, clock })
  const both = (changed: () => void): (() => void) => {
    const ends = [addresses.follow(changed), picture.feed.follow(changed)]
    return () => {
      for (const end of ends) end()
    }
  }
  return {
    about: { program: 'pod network', node: nodeName, version: VERSION },
    health: { follow: changed => addresses.follow(changed), health: () => healthView(parts, () => sets()) },
    addresses,
    calls: { follow: changed => calls.feed.follow(changed), calls: () => calls.calls() },
    ranges: { follow: both, sets, nodes: () => picture.nodes(), cluster: () => clusterRanges },
    routes: { follow: changed => picture.feed.follow(changed), routes: () => picture.routes() },
  }
}

function healthView(
  { clock, underWay, rangesFrom, picture }: PodsPageParts,
  sets: () => readonly { readonly network: string; readonly free: bigint }[],
): HealthView {
  const [usages, problem] = attempted(sets)
  const full = [...new Set((usages ?? []).filter(({ free }) => free === 0n).map(({ network }) => network))]
  const routes = picture.routes()?.routes ?? []
  const refused = routes.filter(({ state }) => state === 'refused').length
  const { residentBytes, cpuSeconds } = vitals()
  const startedAt = processStartedAt()
  return {
    checks: [
      problem === undefined
        ? { name: 'Leases', isGood: true, word: 'readable', says: 'Pods can be given addresses.' }
        : { name: 'Leases', isGood: false, word: 'not readable', says: problem },
      full.length === 0
        ? { name: 'Addresses', isGood: true, word: 'free', says: 'Every set has free addresses.' }
        : { name: 'Addresses', isGood: false, word: 'full', says: `None is free in ${full.join(', ')}.` },
      refused === 0
        ? { name: 'Routes', isGood: true, word: 'standing', says: `${routes.length} to ranges of other nodes.` }
        : { name: 'Routes', isGood: false, word: 'refused', says: `${refused} of ${routes.length} do not stand.` },
    ],
    lanes: [],
    watches: [],
    troubles: [
      ...(problem === undefined ? [] : [`The database of leases cannot be read: ${problem}`]),
      ...full.map(network => `Network ${network} has no free address: the next pod gets none.`),
      ...(refused === 0 ? [] : [`${refused} routes to other nodes do not stand: see Routes.`]),
    ],
    facts: [
      { name: 'Calls under way', value: String(underWay()) },
      { name: 'Ranges from', value: rangesFrom },
      { name: 'Up', value: formatDuration(Math.floor((clock.now() - startedAt) / 60_000) * 60_000) },
      { name: 'Started', value: new Date(startedAt).toISOString() },
      { name: 'Memory', value: `${Math.round(residentBytes / 1e6)} MB` },
      { name: 'Processor time', value: `${Math.round(cpuSeconds)} s` },
    ],
  }
}

function attempted<T>(work: () => T): readonly [T | undefined, string | undefined] {
  try {
    return [work(), undefined]
  } catch (error) {
    return [undefined, (error as Error).message]
  }
}
