import type { AnswerParts } from '#cni/answer.ts'
import { runPlugin } from '#cni/delegation/foreign-plugin.ts'
import { isJsonObject, readJson, shownJson } from '#cni/protocol/json.ts'
import { CNI_VERSIONS, NEWEST } from '#cni/protocol/versions.ts'

// Executables that are not ours, asked for the versions they have → which of them refuse a configuration. Such a one fails each
// ADD, and the DEL after it, with all other plugins of the list being right.

export interface ForeignVersions {
  readonly name: string
  readonly path: string
  readonly versions: readonly string[]
}

type AskParts = Pick<AnswerParts['machine'], 'executables' | 'kernel' | 'clock'>

/** One that is not there, is ours, gives no answer to VERSION, or would be outside of the folders is left out. */
export async function foreignVersions(
  names: readonly string[],
  folders: readonly string[],
  parts: AskParts,
): Promise<readonly ForeignVersions[]> {
  const inFolders = [...new Set(names)].filter(name => !name.includes('/'))
  const asked = inFolders.map(async name => {
    const found = await parts.executables.find(name, folders)
    if (found?.isOurs !== false) return []
    const env = { CNI_COMMAND: 'VERSION', CNI_PATH: folders.join(':') }
    const stdin = JSON.stringify({ cniVersion: NEWEST })
    const { code, stdout } = await runPlugin({ file: found.path, env, stdin }, parts)
    const versions = code === 0 ? versionsIn(stdout) : []
    return versions.length === 0 ? [] : [{ name, path: found.path, versions }]
  })
  return (await Promise.all(asked)).flat()
}

function versionsIn(stdout: string): readonly string[] {
  const read = readJson(stdout)
  const versions = read.ok && isJsonObject(read.json) ? read.json.supportedVersions : undefined
  return Array.isArray(versions) ? versions.filter(version => typeof version === 'string') : []
}

/** A sentence for each plugin that refuses the version, by its name. */
export function versionProblems(wanted: string, plugins: readonly ForeignVersions[]): ReadonlyMap<string, string> {
  const version = wanted === '' ? CNI_VERSIONS[0] : wanted
  const common = CNI_VERSIONS.findLast(known => plugins.every(({ versions }) => versions.includes(known)))
  const help = common === undefined ? 'no version suits all plugins' : `write "cniVersion": ${shownJson(common)}`
  const refusing = plugins.filter(({ versions }) => !versions.includes(version))
  return new Map(
    refusing.map(({ name, path, versions }) => {
      const has = `${path} has the versions ${versions.join(', ')} and not ${version}`
      return [name, `${has}, so no pod can be attached; ${help}`]
    }),
  )
}
