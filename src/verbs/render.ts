import { type Invocation, start } from '#command-line/start.ts'
import { asScript } from '#dialects/script.ts'
import { clusterView, noNode } from '#operator/source/cluster-view.ts'
import { rulesOf } from '#proxy/agent/cluster-rules.ts'
import { needsOf, paperMode } from '#proxy/agent/fit-mode.ts'
import { NO_HOST_NETWORK } from '#proxy/node/host-network.ts'
import { diff, EMPTY } from '#proxy/plan/diff.ts'
import { print } from '#system/output.ts'
import type { Command } from '#system/ports.ts'
import { FAMILIES, FAMILY_LABEL, type Family } from '#values/address.ts'

// render: objects in, what would be written out. The same line as run's, with paper at both ends.

export function main(argv: readonly string[]): Promise<number> {
  return start('render', argv, async invocation => {
    print(await rendered(invocation))
    return 0
  })
}

/** What one family would have written. */
interface FamilyCommands {
  readonly family: Family
  readonly commands: readonly Command[]
}

export async function rendered(invocation: Pick<Invocation, 'settings' | 'log'>): Promise<string> {
  const view = await clusterView(invocation)
  const { cluster, settings, nodeName } = view
  const unknown = noNode(view)
  if (unknown !== undefined) invocation.log.warning(`${unknown}: these are the rules of a node without addresses`)
  const isScript = settings.as === 'script'
  if (isScript && needsOf(settings).relay) invocation.log.warning(RELAY_IS_INSIDE)
  const families: readonly Family[] = settings.family === undefined ? FAMILIES : [settings.family]
  const parts = families.map((family): FamilyCommands => {
    const mode = paperMode(settings, family)
    const viewpoint = { mode, family, nodeName, hostNetwork: NO_HOST_NETWORK }
    return { family, commands: mode.write(diff(EMPTY, rulesOf(cluster, { settings }, viewpoint))) }
  })
  return isScript ? asScript(parts.flatMap(({ commands }) => commands)) : documents(parts)
}

const RELAY_IS_INSIDE =
  'in userspace mode the agent itself listens at the proxy ports: "relay" is no program, so this script can be read and not run'

/** For one command its input, as it is; for several, a comment before each input says which command reads it. */
function documents(parts: readonly FamilyCommands[]): string {
  const [first, second] = parts
  const readers = new Set(first?.commands.map(({ argv }) => argv.join(' ')))
  if (second === undefined && readers.size <= 1) return first?.commands.map(({ input }) => input ?? '').join('') ?? ''
  return parts.map(({ family, commands }) => withReaders(second && family, commands)).join('')
}

/**
 * iptables-restore, nft, ipset and ip pass over a line that begins with #; ipvsadm does not, so its part is the lines
 * between two comments.
 */
function withReaders(family: Family | undefined, commands: readonly Command[]): string {
  const label = family === undefined ? '' : `${FAMILY_LABEL[family]}: `
  let before = ''
  return commands
    .map(({ argv, input = '' }) => {
      const reader = argv.join(' ')
      const comment = reader === before ? '' : `# ${label}${reader}\n`
      before = reader
      return comment + (input === '' || input.endsWith('\n') ? input : `${input}\n`)
    })
    .join('')
}
