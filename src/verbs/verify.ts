import { type Invocation, start } from '#command-line/start.ts'
import { nodeName } from '#config/settings.ts'
import { verbsOf } from '#config/table/setting.ts'
import { FIELDS } from '#config/table/table.ts'
import { clusterOfFiles, rulesOf } from '#proxy/agent/cluster-files.ts'
import { differences } from '#proxy/agent/config-watch.ts'
import { modeToRead } from '#proxy/agent/fit-mode.ts'
import type { Plan, Ruleset } from '#proxy/modes/mode.ts'
import { isListener } from '#proxy/modes/userspace/names.ts'
import { readHostNetwork } from '#proxy/node/host-network.ts'
import { diff, isEmpty } from '#proxy/plan/diff.ts'
import { hostName } from '#system/host.ts'
import { localJson } from '#system/local-json.ts'
import { print } from '#system/output.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { FAMILIES, FAMILY_LABEL, type Family } from '#values/address.ts'

// verify -f FILE: does this node hold what it should hold for these objects? Exit status 0: it does; 1: what differs is
// printed, unit by unit; 2: it could not be found out.

export function main(argv: readonly string[]): Promise<number> {
  return start('verify', argv, async invocation => {
    const kernel = hostKernel()
    await warnOfOtherSettings(invocation)
    const found = (await compared(invocation, kernel)).filter(({ plan }) => !isEmpty(plan))
    print(found.map(comparisonText).join('\n') || 'This node holds exactly what it should.')
    return found.length > 0 ? 1 : 0
  })
}

export interface Comparison {
  readonly family: Family
  /** What would make the kernel hold what it should. */
  readonly plan: Plan
  readonly installed: Ruleset
}

export async function compared(
  invocation: Pick<Invocation, 'settings' | 'log'>,
  kernel: Kernel,
): Promise<readonly Comparison[]> {
  const { settings } = invocation
  if (settings.filenames.length === 0)
    throw new Error('--filename (-f): must name the file with the objects to verify against; - is standard input')
  const hostNetwork = await readHostNetwork(kernel, settings.mode)
  const cluster = await clusterOfFiles(invocation)
  const families: readonly Family[] = settings.family === undefined ? FAMILIES : [settings.family]
  const comparisons: Comparison[] = []
  for (const family of families) {
    const mode = await modeToRead(settings, family, kernel)
    const rules = rulesOf(cluster, invocation, { mode, family, nodeName: nodeName(settings, hostName()), hostNetwork })
    const wanted = new Map([...rules].filter(([unit]) => !isListener(unit)))
    const installed = await mode.read(kernel)
    comparisons.push({ family, plan: diff(installed, wanted), installed })
  }
  return comparisons
}

export function comparisonText({ family, plan, installed }: Comparison): string {
  const lines = [
    ...[...plan.add.keys()].map(unit => `missing ${unit}`),
    ...[...plan.change].flatMap(([unit, wanted]) => [
      `differs ${unit}`,
      ...bothTexts(installed.get(unit) ?? '', wanted),
    ]),
    ...[...plan.remove].map(unit => `extra   ${unit}`),
  ]
  return [`${FAMILY_LABEL[family]}:`, ...lines.map(line => `  ${line}`)].join('\n')
}

/** Lines that both have are counted; where both have the same lines in another order, all are shown. */
function bothTexts(found: string, wanted: string): readonly string[] {
  const [here, due] = [linesOf(found), linesOf(wanted)]
  const [inKernel, inWanted] = [new Set(here), new Set(due)]
  const [onlyHere, onlyDue] = [here.filter(line => !inWanted.has(line)), due.filter(line => !inKernel.has(line))]
  if (onlyHere.length + onlyDue.length === 0) return [...labelled('found', here), ...labelled('wanted', due)]
  const alike = due.length - onlyDue.length
  return [
    ...labelled('found', onlyHere),
    ...labelled('wanted', onlyDue),
    ...(alike > 0 ? [`  ${alike} ${alike === 1 ? 'line is' : 'lines are'} the same`] : []),
  ]
}

function labelled(label: string, lines: readonly string[]): readonly string[] {
  const shown = lines.length === 0 ? ['(nothing)'] : lines
  return shown.map(line => `  ${`${label}:`.padEnd(7)} ${line}`)
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter(line => line !== '')
}

const ANSWER_MS = 1000

/** Without an agent that answers there is nothing to compare with, and nothing to say. */
async function warnOfOtherSettings({ settings, configuration, log }: Invocation): Promise<void> {
  if (settings.metrics === undefined) return
  const { host, port } = settings.metrics
  const address = `${host.includes(':') ? `[${host}]` : host}:${port}`
  const others = otherSettings(await localJson(`http://${address}/configz`, ANSWER_MS), { settings, configuration })
  if (others.length === 0) return
  log.warning(
    `the agent at ${address} runs with other settings, so it wants other rules; with its own flags or --config they can be compared: ${others.join('; ')}`,
  )
}

/** `mode is "nftables" there, "iptables" here`: of the settings that shape rules in this mode. */
export function otherSettings(
  configz: unknown,
  { settings, configuration }: Pick<Invocation, 'settings' | 'configuration'>,
): readonly string[] {
  const running = (configz as { readonly 'kubeproxy.config.k8s.io'?: unknown } | undefined)?.['kubeproxy.config.k8s.io']
  if (typeof running !== 'object' || running === null) return []
  const shaping = FIELDS.filter(
    setting => verbsOf(setting).includes('render') && setting.modes?.includes(settings.mode) !== false,
  )
  const fields = new Set(shaping.map(({ field }) => field))
  return differences(running as Invocation['configuration'], configuration)
    .filter(({ setting }) => fields.has(setting))
    .map(({ setting, before, after }) => `${setting} is ${JSON.stringify(before)} there, ${JSON.stringify(after)} here`)
}
