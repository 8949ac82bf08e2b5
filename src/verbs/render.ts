import { type Invocation, start } from '#command-line/start.ts'
import { nodeName, type Settings } from '#config/settings.ts'
import { asScript } from '#dialects/script.ts'
import { clusterOfFiles, rulesOf } from '#proxy/agent/cluster-files.ts'
import { paperMode } from '#proxy/agent/fit-mode.ts'
import { NO_HOST_NETWORK } from '#proxy/node/host-network.ts'
import { diff, EMPTY } from '#proxy/plan/diff.ts'
import { hostName } from '#system/host.ts'
import { print } from '#system/output.ts'
import type { Command } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// render: YAML in, what would be written out. The same line as run's, with paper at both ends.

export function main(argv: readonly string[]): Promise<number> {
  return start('render', argv, render)
}

async function render(invocation: Invocation): Promise<number> {
  const { settings } = invocation
  const cluster = await clusterOfFiles(invocation)
  const families: readonly Family[] = settings.family === undefined ? ['ipv4'] : [settings.family]
  for (const family of families) {
    const mode = paperMode(settings, family)
    const viewpoint = { mode, family, nodeName: nodeName(settings, hostName()), machine: NO_HOST_NETWORK }
    print(shown(settings, mode.write(diff(EMPTY, rulesOf(cluster, invocation, viewpoint)))))
  }
  return 0
}

/** The inputs alone, one after another, for a mode that has one tool; as a script, each with its command. */
function shown({ as }: Settings, commands: readonly Command[]): string {
  return as === 'script' ? asScript(commands) : commands.map(({ input }) => input ?? '').join('')
}
