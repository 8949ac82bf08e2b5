import { type Invocation, start } from '#command-line/start.ts'
import type { Settings } from '#config/settings.ts'
import { inForm } from '#config/shown/yaml.ts'
import { verbsOf } from '#config/table/setting.ts'
import { FIELDS } from '#config/table/table.ts'
import { clusterView, noNode } from '#operator/source/cluster-view.ts'
import type { ClusterView } from '#operator/source/view.ts'
import { refusal, type Verified, verified } from '#operator/verify/verified.ts'
import { differences } from '#proxy/agent/config-watch.ts'
import { systemClock } from '#system/clock.ts'
import { localJson } from '#system/local-json.ts'
import { complain, print } from '#system/output.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import type { ShownRefusal } from '#telemetry/server.ts'
import { hostPort } from '#values/address.ts'
import type { NodeDifference } from '#verify/difference.ts'
import { verifyText } from '#verify/text.ts'

// verify: does this node hold what it should? Exit status 0: it does; 1: what differs is printed, with what it means for traffic;
// 2: it could not be found out.

export function main(argv: readonly string[]): Promise<number> {
  return start('verify', argv, async invocation => {
    const found = await answered(invocation, hostKernel())
    const { settings } = invocation
    const text = settings.questions.output === 'json' ? JSON.stringify(found, null, 2) : textOf(found)
    print(inForm(text, settings))
    return statusOf(found)
  })
}

export async function answered(invocation: Invocation, kernel: Kernel): Promise<Verified> {
  const view = await clusterView(invocation)
  const unknown = view.by === 'api' ? noNode(view) : undefined
  if (unknown !== undefined) throw new Error(`this machine cannot be compared: ${unknown}`)
  const refused = view.agent === undefined ? await refusedAt(view) : []
  if (view.agent === undefined) await warnOfOtherSettings(invocation)
  const found = await verified({ settings: view.settings, view, kernel, clock: systemClock })
  for (const failure of found.failures) complain(`Warning: ${failure}`)
  return { ...found, differences: [...found.differences, ...refused] }
}

function textOf({ differences: found, mended }: Verified): string {
  return found.length === 0 ? 'This node holds exactly what it should.' : verifyText(found, mended)
}

/** What could not be looked at is no difference, and no reason to say that there is none. */
export function statusOf({ differences: found, failures, mended }: Verified): 0 | 1 | 2 {
  const done = (mended ?? []).filter(({ outcome }) => outcome === 'mended').length
  if (found.length > done) return 1
  return failures.length > 0 ? 2 : 0
}

const ANSWER_MS = 1000

/** Without an agent that answers there is nothing to compare with, and nothing to say. */
async function warnOfOtherSettings({ settings, configuration, log }: Invocation): Promise<void> {
  const others = otherSettings(await askAgent({ settings }, 'configz'), { settings, configuration })
  if (others.length === 0) return
  log.warning(
    `the agent at ${agentAddress(settings)} runs with other settings, so it wants other rules; with its own flags or --config they can be compared: ${others.join('; ')}`,
  )
}

function agentAddress({ metrics }: Pick<Settings, 'metrics'>): string | undefined {
  return metrics && hostPort(metrics.host, metrics.port)
}

async function askAgent({ settings }: Pick<Invocation, 'settings'>, page: string): Promise<unknown> {
  const address = agentAddress(settings)
  return address === undefined ? undefined : localJson(`http://${address}/${page}`, ANSWER_MS)
}

async function refusedAt({ settings }: ClusterView): Promise<readonly NodeDifference[]> {
  return refusedIn(await askAgent({ settings }, 'refusedz'))
}

/** Of the Services that the running agent could not write: it tries each again, ever later. */
export function refusedIn(refusedz: unknown): readonly NodeDifference[] {
  return Array.isArray(refusedz)
    ? (refusedz as readonly (Partial<ShownRefusal> | null)[]).filter(isRefusal).map(refusal)
    : []
}

/** Another program may answer there. */
function isRefusal(one: Partial<ShownRefusal> | null): one is ShownRefusal {
  return [one?.ipFamily, one?.servicePort, one?.unit, one?.reason].every(text => typeof text === 'string')
}

/** `mode is "nftables" there, "iptables" here`: of the settings that shape rules in this mode. */
export function otherSettings(
  configz: unknown,
  { settings, configuration }: Pick<Invocation, 'settings' | 'configuration'>,
): readonly string[] {
  const running = (configz as { readonly 'kubeproxy.config.k8s.io'?: unknown } | undefined)?.['kubeproxy.config.k8s.io']
  if (typeof running !== 'object' || running === null) return []
  const shaping = FIELDS.filter(
    setting =>
      verbsOf(setting).includes('render') &&
      // It says where the cluster is known from, and not what its rules are.
      setting.flag !== 'kubeconfig' &&
      setting.modes?.includes(settings.mode) !== false,
  )
  const fields = new Set(shaping.map(({ field }) => field))
  return differences(running as Invocation['configuration'], configuration)
    .filter(({ setting }) => fields.has(setting))
    .map(({ setting, before, after }) => `${setting} is ${JSON.stringify(before)} there, ${JSON.stringify(after)} here`)
}
