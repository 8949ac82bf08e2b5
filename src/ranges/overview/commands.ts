import { COOLDOWN_MS } from '#cni/plugins/host-local/configuration.ts'
import type { Invocation } from '#command-line/start.ts'
import { errorLine } from '#command-line/terminal-log.ts'
import { inForm } from '#config/shown/yaml.ts'
import { rangeOverview } from '#ipam/overview/overview.ts'
import { overviewJson } from '#ipam/overview/overview-json.ts'
import { overviewText } from '#ipam/overview/overview-text.ts'
import { clusterPlan } from '#ipam/plan/cluster-plan.ts'
import { clusterPlanJson, clusterPlanText } from '#ipam/plan/cluster-plan-text.ts'
import { audited, type RangeFinding } from '#ipam/services/audit.ts'
import { auditJson, auditText } from '#ipam/services/audit-text.ts'
import { systemClock } from '#system/clock.ts'
import { complain, print } from '#system/output.ts'
import { type ClusterSource, clusterSource, type RangesQuestion } from './cluster-source.ts'
import { plannedRanges } from './planned-ranges.ts'

// ranges, ranges audit, ranges plan: what there is to see of a cluster's ranges. Nothing is changed.

export interface RangesAnswer {
  readonly text: string
  readonly status: number
}

type Command = (asked: RangesQuestion) => Promise<RangesAnswer>

const COMMANDS: Readonly<Record<'table' | 'audit' | 'plan', Command>> = {
  table: async asked => {
    const overview = rangeOverview(await clusterSource(asked)(), systemClock.now())
    return { text: isJson(asked) ? overviewJson(overview) : overviewText(overview), status: 0 }
  },
  audit: async asked => auditAnswer(clusterSource(asked), isJson(asked) ? 'json' : 'text'),
  plan: async ({ settings }) => {
    const plan = clusterPlan({ ...plannedRanges(settings), cooldownMs: COOLDOWN_MS })
    const text = settings.ipam.output === 'json' ? clusterPlanJson(plan) : clusterPlanText(plan)
    return { text, status: plan.fits ? 0 : 1 }
  },
}

export function answered(command: keyof typeof COMMANDS, asked: RangesQuestion): Promise<RangesAnswer> {
  return COMMANDS[command](asked)
}

/** What was found wrong is 1; that nothing could be looked at is 2. */
export async function showRanges(command: keyof typeof COMMANDS, asked: Invocation): Promise<number> {
  try {
    const { text, status } = await answered(command, asked)
    print(inForm(text, asked.settings))
    return status
  } catch (error) {
    complain(errorLine('', error))
    return 2
  }
}

function isJson({ settings }: RangesQuestion): boolean {
  return settings.ipam.output === 'json'
}

/**
 * Objects that are being made while they are listed look as if something were wrong: what is, is so at a second look, too.
 */
export async function auditAnswer(source: ClusterSource, form: 'text' | 'json'): Promise<RangesAnswer> {
  const first = await looked(source)
  const isWrong = first.findings.some(({ weight }) => weight === 'error')
  const again = isWrong ? new Set((await looked(source)).findings.map(keyOf)) : undefined
  const findings = again === undefined ? first.findings : first.findings.filter(one => again.has(keyOf(one)))
  const text = form === 'json' ? auditJson(findings, first.counts) : auditText(findings, first.counts)
  return { text, status: findings.some(({ weight }) => weight === 'error') ? 1 : 0 }
}

async function looked(source: ClusterSource) {
  const { services, addresses, serviceCIDRs, nodePorts } = await source()
  if (serviceCIDRs.cidrs.length === 0) {
    throw new Error('ranges audit: the range of Services is not known; --service-cluster-ip-range says it')
  }
  const findings = audited({ services, addresses, ranges: { cidrs: serviceCIDRs.cidrs, nodePorts } })
  return { findings, counts: { services: services.length, addresses: addresses?.length } }
}

function keyOf({ reason, about, message }: RangeFinding): string {
  return `${reason} ${about} ${message}`
}
