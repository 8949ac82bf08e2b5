import { shownJson } from '#cni/protocol/json.ts'
import { type JsonNode, memberOf, type ObjectNode, textAt } from '../json/node.ts'
import { below, type Place } from '../keys/check-keys.ts'
import { pluginsIn } from './addressing.ts'

// The plugins that a configuration names → those that a runtime would not find in its folders, or that refuse its version.

export interface InstalledPlugins {
  readonly folders: readonly string[]
  /** Of the names that this configuration has. */
  readonly names: ReadonlySet<string>
  /** Plugins that give addresses without an executable, below one of ours. */
  readonly own: ReadonlySet<string>
  /** A sentence for each that refuses the version of this configuration. */
  readonly refusing: ReadonlyMap<string, string>
}

export function pluginNames(root: JsonNode): readonly string[] {
  return pluginsIn(root).flatMap(({ node }) =>
    [textAt(node, 'type'), textAt(memberOf(node, 'ipam')?.value, 'type')].filter(it => it !== undefined),
  )
}

export function checkExecutables(root: JsonNode, installed: InstalledPlugins, place: Place): void {
  for (const { node, path } of pluginsIn(root)) {
    checkName(node, installed, { ...place, path })
    const ipam = memberOf(node, 'ipam')?.value
    const isOwn = installed.own.has(textAt(node, 'type') ?? '') && installed.own.has(textAt(ipam, 'type') ?? '')
    if (ipam?.kind === 'object' && !isOwn) checkName(ipam, installed, { ...place, path: below(path, 'ipam') })
  }
}

function checkName(node: ObjectNode, { folders, names, refusing }: InstalledPlugins, { findings, path }: Place): void {
  const name = textAt(node, 'type')
  if (!name) return
  const full = below(path, 'type')
  const refusal = refusing.get(name)
  if (refusal !== undefined) findings.refuse(memberOf(node, 'type')!.value.at, full, `${full}: ${refusal}`)
  if (names.has(name)) return
  const sentence = `${full}: there is no executable ${shownJson(name)} in ${folders.join(' or ')}, so no pod can be attached`
  findings.refuse(memberOf(node, 'type')!.value.at, full, sentence)
}
