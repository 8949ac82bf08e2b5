import { basename, dirname, join } from 'node:path'
import { lint, understood } from '#cni/lint/lint.ts'
import { type FileFindings, findingsJson, findingsText } from '#cni/lint/report.ts'
import { type InstalledPlugins, pluginNames } from '#cni/lint/rules/executables.ts'
import type { NeighbourNetwork, NodeRoute } from '#cni/lint/rules/overlaps.ts'
import { foreignVersions, versionProblems } from '#cni/runner/foreign-versions.ts'
import { parseConfiguration } from '#cni/runner/network-list.ts'
import type { Networks } from '#system/network/network.ts'
import { FAMILIES } from '#values/address.ts'
import { prefixLength } from '#values/cidr.ts'
import type { CniAsked, CniCommandAnswer, CniCommandParts } from './command.ts'

// cni lint FILE: what is wrong with a configuration, also beside the others in its folder, the routes of this node and the
// range of Services. A folder stands for all configurations in it, `-` for standard input.

export async function lintFile(asked: CniAsked, parts: CniCommandParts): Promise<CniCommandAnswer> {
  const [path] = asked.operands
  if (path === undefined)
    throw new Error(
      'cni lint: FILE is missing: a .conflist, .conf or .json, or a folder of them such as /etc/cni/net.d',
    )
  const files = await filesAt(path, parts)
  const routes = await routesOf(parts.own.machine.networks)
  const found: FileFindings[] = []
  for (const file of files) {
    const networks = await networksBeside(file, parts)
    const text = await textOf(file, parts)
    const installed = await installedOf(text, asked.settings.binDirs, parts)
    found.push({
      file,
      findings: lint(
        { file, text },
        { networks, routes, serviceRanges: asked.settings.serviceRanges, ...(installed && { installed }) },
      ),
    })
  }
  const hasErrors = found.some(({ findings }) => findings.some(({ severity }) => severity === 'error'))
  return { text: (asked.settings.output === 'json' ? findingsJson : findingsText)(found), status: hasErrors ? 1 : 0 }
}

const CONFIGURATIONS = /\.(conflist|conf|json)$/
const INPUT = '-'

async function filesAt(path: string, { files }: CniCommandParts): Promise<readonly string[]> {
  const names = path === INPUT ? undefined : await files.list(path)
  if (names === undefined) return [path]
  const found = names.filter(name => CONFIGURATIONS.test(name)).map(name => join(path, name))
  if (found.length === 0) throw new Error(`cni lint: there is no .conflist, .conf or .json in ${JSON.stringify(path)}`)
  return found
}

async function textOf(file: string, { files, input }: CniCommandParts): Promise<string> {
  const text = file === INPUT ? await input() : await files.read(file)
  if (text === undefined) throw new Error(`cni lint: there is no file ${JSON.stringify(file)}`)
  return text
}

async function networksBeside(file: string, { files }: CniCommandParts): Promise<readonly NeighbourNetwork[]> {
  if (file === INPUT) return []
  const folder = dirname(file)
  const names = ((await files.list(folder)) ?? []).filter(name => CONFIGURATIONS.test(name) && name !== basename(file))
  const networks = names.map(async name => {
    // One that may not be read is as one that cannot be understood.
    const text = await files.read(join(folder, name)).catch(() => undefined)
    const root = understood(text ?? '')
    return root === undefined ? [] : [{ file: join(folder, name), root }]
  })
  return (await Promise.all(networks)).flat()
}

/** Asked for by naming the folders: a configuration is often looked at on another machine than it is for. */
async function installedOf(
  text: string,
  folders: readonly string[],
  { own }: CniCommandParts,
): Promise<InstalledPlugins | undefined> {
  const root = folders.length === 0 ? undefined : understood(text)
  if (root === undefined) return undefined
  const found = await Promise.all(
    pluginNames(root).map(async name => ((await own.machine.executables.find(name, folders)) ? [name] : [])),
  )
  const types = new Set(['switchyard', ...own.plugins.map(({ type }) => type)])
  const version = versionIn(text)
  const foreign = version === undefined ? [] : await foreignVersions(found.flat(), folders, own.machine)
  const refusing = versionProblems(version ?? '', foreign)
  return { folders, names: new Set(found.flat()), own: types, refusing }
}

/** Undefined where other mistakes come first. */
function versionIn(text: string): string | undefined {
  try {
    return parseConfiguration(text).cniVersion
  } catch {
    return undefined
  }
}

/** None where this machine does not say, as one without netlink. */
async function routesOf(networks: Networks): Promise<readonly NodeRoute[]> {
  try {
    const network = await networks.open()
    try {
      const routes = (await Promise.all(FAMILIES.map(family => network.routes(family)))).flat()
      return routes.flatMap(({ destination, link }) =>
        link === undefined || link === 'lo' || prefixLength(destination) === 0 ? [] : [{ destination, link }],
      )
    } finally {
      network.close()
    }
  } catch {
    return []
  }
}
