import { type Invocation, start } from '#command-line/start.ts'
import { nodeName } from '#config/settings.ts'
import { clusterOfFiles, rulesOf } from '#proxy/agent/cluster-files.ts'
import { fitMode } from '#proxy/agent/fit-mode.ts'
import { isListener } from '#proxy/modes/userspace/names.ts'
import { readHostNetwork } from '#proxy/node/host-network.ts'
import { diff, isEmpty } from '#proxy/plan/diff.ts'
import { hostName } from '#system/host.ts'
import { print } from '#system/output.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { FAMILIES, FAMILY_LABEL, type Family } from '#values/address.ts'

// verify -f FILE: does this node hold what it should hold for these objects? What differs, unit by unit; exit 1 if any does.

export function main(argv: readonly string[]): Promise<number> {
  return start('verify', argv, verify)
}

async function verify(invocation: Invocation): Promise<number> {
  const { settings } = invocation
  if (settings.filenames.length === 0)
    throw new Error('--filename (-f): must name the file with the objects to verify against; - is standard input')
  const kernel = hostKernel()
  const machine = await readHostNetwork(kernel, settings.mode)
  const cluster = await clusterOfFiles(invocation)
  const families: readonly Family[] = settings.family === undefined ? FAMILIES : [settings.family]
  let differs = false
  for (const family of families) {
    const { mode } = await fitMode(settings, family, kernel)
    const rules = rulesOf(cluster, invocation, { mode, family, nodeName: nodeName(settings, hostName()), machine })
    const wanted = new Map([...rules].filter(([unit]) => !isListener(unit)))
    const plan = diff(await mode.read(kernel), wanted)
    if (isEmpty(plan)) continue
    differs = true
    const lines = [
      ...[...plan.add.keys()].map(unit => `missing ${unit}`),
      ...[...plan.change.keys()].map(unit => `differs ${unit}`),
      ...[...plan.remove].map(unit => `extra   ${unit}`),
    ]
    print([`${FAMILY_LABEL[family]}:`, ...lines.map(line => `  ${line}`)].join('\n'))
  }
  if (!differs) print('This node holds exactly what it should.')
  return differs ? 1 : 0
}
