import { basename, join } from 'node:path'
import { placedFiles } from '#system/placed-files.ts'
import type { CniAsked, CniCommandAnswer, CniCommandParts } from '../commands/command.ts'
import { install } from '../install/install.ts'
import { OWN_EXECUTABLE, STANDARD_PLUGINS } from '../install/places.ts'
import type { InstallPlan, InstallSources } from '../install/plan.ts'
import { uninstall } from '../install/uninstall.ts'
import { isJsonObject } from '../protocol/json.ts'
import { foreignVersions, versionProblems } from '../runner/foreign-versions.ts'
import { type NetworkList, parseNetworkList } from '../runner/network-list.ts'
import { exporting, importing, mustNotBeImported } from './change-over/commands.ts'
import { askDaemon } from './client.ts'
import { untilReady } from './readiness.ts'
import { withoutRoutes } from './routes/without-routes.ts'
import { SOCKET } from './service.ts'

// cni install [FILE] and cni uninstall: the plugins of this node, where its runtime looks for them.

const BIN_DIR = '/opt/cni/bin'
/** In a DaemonSet the daemon starts at the same time. */
const READY_WITHIN_MS = 60_000

type Asked = Pick<CniAsked, 'settings' | 'operands'>

/** `built` is the folder with what `npm run build` made, and the helper. */
export async function installing(
  asked: Asked,
  { own, files }: Pick<CniCommandParts, 'own' | 'files'>,
  built: InstallSources,
): Promise<CniCommandAnswer> {
  const { executables, clock } = own.machine
  await mustBeBuilt(built)
  const [file] = asked.operands
  const { confDir } = asked.settings
  if (file === undefined && confDir !== undefined)
    throw new Error(`cni install: --conf-dir: FILE is missing: the configuration to be placed in ${confDir}`)
  if (file !== undefined && confDir === undefined)
    throw new Error(`cni install: --conf-dir is missing: the folder that ${file} is placed in, such as /etc/cni/net.d`)
  const given = file === undefined ? undefined : await configurationIn(file, files)
  const plan: InstallPlan = {
    binDir: onlyBinDir(asked),
    replacesStandard: asked.settings.replaceStandardPlugins,
    sources: built,
    ...(given !== undefined && { configuration: { path: join(confDir!, basename(file!)), text: given.text } }),
  }
  const ours = plan.replacesStandard ? [OWN_EXECUTABLE, ...STANDARD_PLUGINS] : [OWN_EXECUTABLE]
  const untilServed = () =>
    untilReady({
      network: given!,
      ours,
      binDir: plan.binDir,
      ask: call => askDaemon(SOCKET, call),
      clock,
      withinMs: READY_WITHIN_MS,
    })
  const { importFrom } = asked.settings
  if (importFrom === undefined) {
    const done = await install(plan, { files: placedFiles, executables, untilServed })
    return { text: [...done, ...(await refusals(given, plan.binDir, own))].join('\n'), status: 0 }
  }
  if (!plan.replacesStandard)
    throw new Error('cni install: --import: without --replace-standard-plugins, host-local goes on giving addresses')
  return importing(importFrom, { binDir: plan.binDir, own, files, database: asked.settings.database }, async place => [
    ...(await install(plan, { files: placedFiles, executables, untilServed, placing: place })),
    ...(await refusals(given, plan.binDir, own)),
  ])
}

/** Of plugins that are not ours, and do not know the version of the list. */
async function refusals(
  network: NetworkList | undefined,
  binDir: string,
  { machine }: CniCommandParts['own'],
): Promise<readonly string[]> {
  if (network === undefined) return []
  const names = network.plugins.flatMap(({ type, ipam }) => [type, isJsonObject(ipam) ? ipam.type : undefined])
  const plugins = await foreignVersions(
    names.filter(name => typeof name === 'string'),
    [binDir],
    machine,
  )
  return [...versionProblems(network.cniVersion, plugins).values()].map(problem => `Warning: ${problem}.`)
}

/** `leaveNetwork` takes away what the daemon has laid on this node. */
export async function uninstalling(
  asked: Asked,
  { own }: Pick<CniCommandParts, 'own'>,
  leaveNetwork: typeof withoutRoutes = withoutRoutes,
): Promise<CniCommandAnswer> {
  if (asked.operands.length > 0)
    throw new Error(`cni uninstall takes no operand, got ${JSON.stringify(asked.operands[0])}`)
  const { exportTo, database } = asked.settings
  const binDir = onlyBinDir(asked)
  const work = async () => [
    ...(await uninstall(binDir, { files: placedFiles, executables: own.machine.executables })),
    ...(await leaveNetwork(own.machine)),
  ]
  if (exportTo !== undefined) return exporting(exportTo, { binDir, own, database }, work)
  await mustNotBeImported(binDir)
  return { text: (await work()).join('\n'), status: 0 }
}

function onlyBinDir({ settings: { binDirs } }: Asked): string {
  if (binDirs.length > 1) throw new Error(`--bin-dir: one folder is wanted here, not ${binDirs.join(' and ')}`)
  return binDirs[0] ?? BIN_DIR
}

async function mustBeBuilt({ helper, program }: InstallSources): Promise<void> {
  if (!(await placedFiles.exists(program)))
    throw new Error(`cni install: ${program} is missing; "npm run build" makes it`)
  if (await placedFiles.exists(helper)) return
  const make = `musl-gcc -static -Os -s -o ${helper} src/cni/shim.c`
  throw new Error(
    `cni install: ${helper} is missing, the helper that runtimes start; the image has it, or make it: ${make}`,
  )
}

async function configurationIn(file: string, files: CniCommandParts['files']): Promise<NetworkList> {
  const text = await files.read(file)
  if (text === undefined) throw new Error(`cni install: ${file}: there is no such file`)
  if (!file.endsWith('.conflist'))
    throw new Error(`cni install: ${file}: the name of a list of plugins ends in .conflist`)
  try {
    return parseNetworkList(text)
  } catch (error) {
    throw new Error(`cni install: ${file}: ${(error as Error).message}`, { cause: error })
  }
}
