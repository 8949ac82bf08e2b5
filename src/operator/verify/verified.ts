import type { Invocation } from '#command-line/start.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { ShownRefusal } from '#telemetry/server.ts'
import { FAMILY_LABEL } from '#values/address.ts'
import type { Mended, NodeDifference } from '#verify/difference.ts'
import { refusedByAgent, repairedByAgent } from '../source/from-agent.ts'
import type { ClusterView } from '../source/view.ts'
import { mendPods, podDifferences } from './pods.ts'
import { differencesOfRoutes, mendRoutes } from './routes.ts'
import { compared, differencesOf, mendServices } from './services.ts'

// A cluster and this node → everything in which they differ, of both wings; mended where that is asked.

export interface VerifyParts {
  readonly settings: Invocation['settings']
  readonly view: ClusterView
  readonly kernel: Kernel
  readonly clock: Clock
}

export interface Verified {
  readonly differences: readonly NodeDifference[]
  /** What could not be looked at, a sentence each. */
  readonly failures: readonly string[]
  /** Set where a repair was asked for: of each difference, what became of it. */
  readonly mended?: readonly Mended[]
}

export async function verified(parts: VerifyParts): Promise<Verified> {
  const found = await look(parts)
  if (!parts.settings.questions.repair || found.differences.length === 0) return found
  const failed = await mend(parts)
  const left = new Map((await look(parts)).differences.map(difference => [difference.unit, difference]))
  const mended = found.differences.map(({ unit }): Mended => {
    const still = left.get(unit)
    if (still === undefined) return { unit, outcome: 'mended' }
    const why = failed.find(line => line.startsWith(`${unit}: `))?.slice(unit.length + 2) ?? still.found[0]
    return { unit, outcome: 'left', ...(why !== undefined && { why }) }
  })
  return { ...found, mended, failures: [...found.failures, ...failed] }
}

async function look(parts: VerifyParts): Promise<Pick<Verified, 'differences' | 'failures'>> {
  const { view, settings, kernel } = parts
  const about = { settings, cluster: view.cluster, nodeName: view.nodeName, kernel }
  const services = differencesOf(await compared(about))
  const refused = view.agent === undefined ? [] : (await refusedByAgent(view.agent)).map(refusal)
  const pods = await podDifferences(parts)
  const routes = await differencesOfRoutes({ settings, view, kernel })
  return { differences: [...services, ...refused, ...pods.differences, ...routes], failures: pods.failures }
}

/** Services first: more depends on them than on one pod. */
async function mend(parts: VerifyParts): Promise<readonly string[]> {
  const { view, settings, kernel, clock } = parts
  const failed: string[] = []
  if (view.agent === undefined) {
    const about = { settings, cluster: view.cluster, nodeName: view.nodeName, kernel }
    failed.push(...(await mendServices(await compared(about), kernel, clock)))
  } else {
    const { families } = await repairedByAgent(view.agent)
    for (const { family, failure } of families)
      if (failure !== undefined) failed.push(`${FAMILY_LABEL[family]}: the agent could not mend its rules: ${failure}`)
  }
  failed.push(...(await mendRoutes({ settings, view, kernel })))
  failed.push(...(await mendPods(parts)))
  return failed
}

/** Of a Service that the running agent could not write: it tries again, ever later. */
export function refusal({ ipFamily, servicePort, unit, reason }: ShownRefusal): NodeDifference {
  const [first = ''] = reason.split('\n')
  return {
    ...{ kind: 'refused', part: 'services', unit: `${ipFamily} ${unit}`, owners: [servicePort] },
    ...{ found: [first], wanted: [], alike: 0 },
    means: `connections to ${servicePort} go where the rules led that the kernel took last, if any`,
  }
}
