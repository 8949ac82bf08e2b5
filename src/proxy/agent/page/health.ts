import type { ApiStats } from '#kubernetes/stats.ts'
import type { HealthCheckView, HealthView, LaneView, WatchView } from '#page/views/health.ts'
import { vitals } from '#system/vitals.ts'
import { FAMILY_LABEL } from '#values/address.ts'
import { formatDuration } from '#values/duration.ts'
import type { Agent } from '../agent.ts'
import type { SyncHistory } from './sync-history.ts'

// The agent's health, lanes and watches → what the first page shows.

export interface HealthParts {
  readonly agent: Agent
  readonly stats: ApiStats
  readonly startedAt: number
  readonly now: () => number
  readonly runtime: string
  readonly history: Pick<SyncHistory, 'repairs'>
}

export function healthView({ agent, stats, startedAt, now, runtime, history }: HealthParts): HealthView {
  const ready = JSON.parse(agent.health.healthz().body) as HealthBody
  const live = agent.health.livez()
  const lanes = agent.lanes.map((lane): LaneView => {
    const { family, draft, refused } = lane
    const { healthy = false, lastUpdated } = ready.status?.[FAMILY_LABEL[family]] ?? {}
    const at = lastUpdated === undefined ? Number.NaN : Date.parse(lastUpdated)
    return {
      family: FAMILY_LABEL[family],
      isHealthy: healthy,
      ...(at > 0 && { lastSyncAt: at }),
      ...{ units: draft.book.rules.size, servicePorts: count(draft.resolved()), refused: refused.length },
    }
  })
  const { residentBytes, cpuSeconds } = vitals()
  return {
    checks: checks(ready, live.status === 200),
    lanes,
    watches: Object.entries(stats).map(([kind, one]) => watch(kind, one)),
    troubles: [...troubles(agent, ready), ...lately(history, now())],
    facts: [
      { name: 'Up', value: formatDuration(Math.floor((now() - startedAt) / 60_000) * 60_000) },
      { name: 'Started', value: new Date(startedAt).toISOString() },
      { name: 'Memory', value: `${Math.round(residentBytes / 1e6)} MB` },
      { name: 'Processor time', value: `${Math.round(cpuSeconds)} s` },
      { name: 'Runtime', value: runtime },
      { name: 'Services', value: String(agent.cluster.serviceCount) },
    ],
  }
}

function count(all: Iterable<unknown>): number {
  let n = 0
  for (const _ of all) n++
  return n
}

/** What /healthz answers. */
interface HealthBody {
  readonly healthy: boolean
  readonly nodeEligible: boolean
  readonly status?: Readonly<Record<string, { readonly lastUpdated: string; readonly healthy: boolean } | undefined>>
  readonly apiServer?: { readonly lastHeard: string }
}

function checks({ healthy, nodeEligible, apiServer }: HealthBody, isLive: boolean): readonly HealthCheckView[] {
  const check = (name: string, isGood: boolean, good: Said, bad: Said): HealthCheckView => {
    const [word, says] = isGood ? good : bad
    return { name, isGood, word, says }
  }
  const { lastHeard } = apiServer ?? {}
  return [
    check(
      'Node',
      healthy && nodeEligible,
      ['ready', 'Load balancers may send traffic here.'],
      [
        'not ready',
        nodeEligible ? 'Load balancers should send no traffic here.' : 'It is not known, is going, or is gone.',
      ],
    ),
    check(
      'Rules',
      healthy,
      ['up to date', 'No change waits for too long.'],
      ['out of date', 'They are not there yet, or a change waits for too long.'],
    ),
    check(
      'API server',
      lastHeard === undefined,
      ['heard', 'Changes arrive.'],
      ['silent', `Not heard since ${lastHeard}.`],
    ),
    check('Process', isLive, ['live', 'It goes on.'], ['stuck', 'A new process would do better.']),
  ]
}

type Said = readonly [word: string, sentence: string]

function watch(kind: string, { synced, objects, lastActivityAt, failures }: ApiStats['Service']): WatchView {
  return { kind, isSynced: synced, objects, failures, ...(lastActivityAt > 0 && { heardAt: lastActivityAt }) }
}

const SHOWN = 10

function troubles({ cluster, lanes }: Agent, { healthy, apiServer }: HealthBody): readonly string[] {
  const refused = lanes.flatMap(({ refused }) => refused)
  return [
    ...(cluster.complete ? [] : ['Lists of the API server have not all arrived: no rule is written before.']),
    ...(apiServer === undefined ? [] : ['The API server is silent: changes may have been missed.']),
    ...(healthy || !cluster.complete ? [] : ['A change waits for too long: syncs fail, hang or have not begun.']),
    ...refused.slice(0, SHOWN).map(({ owner, unit }) => `The kernel refuses the rules of ${owner}, in ${unit}.`),
    ...(refused.length > SHOWN ? [`And those of ${refused.length - SHOWN} more service ports.`] : []),
  ]
}

const HOUR_MS = 3_600_000

/** What is mended is no trouble any more, but another program may do it again. */
function lately(history: HealthParts['history'], now: number): readonly string[] {
  const recent = history.repairs().filter(({ at, drift }) => drift.count > 0 && at > now - HOUR_MS)
  const units = recent.reduce((sum, { drift }) => sum + drift.count, 0)
  if (units === 0) return []
  const last = new Date(recent[0]!.at).toISOString().slice(11, 19)
  return [
    `Another program changed ${units} of our units in the last hour, at ${last} the last time. They were restored: see Syncs.`,
  ]
}
