import type { Executables } from '#system/executables.ts'
import { chosenDelegates } from './delegation/chosen-delegates.ts'
import { OwnPlugins } from './delegation/own-plugins.ts'
import type { CniPlugin, PluginParts } from './plugins/plugin.ts'
import { decodeRequest, type PluginCall } from './protocol/decode.ts'
import { readEnvironment } from './protocol/environment.ts'
import { CniError, CODE } from './protocol/error.ts'
import { isJsonObject, readJson } from './protocol/json.ts'
import { printedError, printedResult, printedVersions } from './protocol/print.ts'
import type { CniRequest } from './protocol/request.ts'
import { CNI_VERSIONS, type CniVersion, isCniVersion } from './protocol/versions.ts'

// What a runtime hands to an executable of ours → what it gets back: JSON on stdout or nothing at all, words on stderr, and an
// exit status. The same for the daemon and for the process that works without it. It never fails.

export interface PluginAnswer {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

export interface AnswerParts {
  readonly plugins: readonly CniPlugin[]
  readonly machine: PluginMachine
  /** Of the program: `v1.2.3`. */
  readonly version: string
}

/** All that plugins work with, except what depends on the call. */
export type PluginMachine = Omit<PluginParts, 'delegates'> & { readonly executables: Executables }

export async function answer(call: PluginCall, parts: AnswerParts): Promise<PluginAnswer> {
  const said: string[] = []
  try {
    const stdout = await answered(call, parts, text => said.push(text))
    return { stdout, stderr: said.join(''), code: 0 }
  } catch (error) {
    if (!call.env.CNI_COMMAND) return { stdout: '', stderr: about(call.plugin, parts.version), code: 0 }
    if (!(error instanceof CniError)) said.push(`${(error as Error | undefined)?.stack ?? String(error)}\n`)
    return { stdout: printedError(asCniError(error), versionIn(call.stdin)), stderr: said.join(''), code: 1 }
  }
}

async function answered(call: PluginCall, parts: AnswerParts, said: (text: string) => void): Promise<string> {
  if (readEnvironment(call.env).command === 'VERSION') return printedVersions()
  const asked = decodeRequest(call)
  const own = new OwnPlugins(parts.plugins)
  const plugin = own.started(call.plugin, asked.config)
  const { executables, ...machine } = parts.machine
  const { kernel, clock } = machine
  const delegates = chosenDelegates({ kernel, clock, executables, own, said, parts: () => all })
  const all: PluginParts = { ...machine, delegates }
  return carryOut(plugin, await awayFromNode({ ...asked, plugin: plugin.type }, machine.files), all)
}

async function carryOut(plugin: CniPlugin, request: CniRequest, parts: PluginParts): Promise<string> {
  switch (request.command) {
    case 'ADD':
      return added(plugin, request, parts)
    case 'DEL':
      await plugin.del(request, parts)
      return ''
    case 'CHECK':
      await plugin.check(request, parts)
      return ''
    case 'STATUS':
      await plugin.status(request, parts)
      return ''
    case 'GC':
      await plugin.gc(request, parts)
      return ''
    case 'VERSION':
      return printedVersions()
  }
}

/** A result that the configuration's version cannot say was never received: what it stands for is taken back. */
async function added(plugin: CniPlugin, request: CniRequest, parts: PluginParts): Promise<string> {
  const result = await plugin.add(request, parts)
  try {
    return printedResult(result, request.config.cniVersion)
  } catch (error) {
    await plugin.del({ ...request, command: 'DEL' }, parts).catch(() => {})
    throw error
  }
}

const OWN_NAMESPACE = '/proc/self/ns/net'

/**
 * No container lives in the node's own namespace: an ADD there would change the node's interfaces, so it is refused before
 * anything is taken. A DEL would remove one of them; it goes on without the namespace, as what was taken must come back.
 */
async function awayFromNode(request: CniRequest, files: PluginParts['files']): Promise<CniRequest> {
  const { command, netns } = request
  if (netns === undefined || request.ownNamespace === 'allowed' || (command !== 'ADD' && command !== 'DEL'))
    return request
  // What cannot be looked at is not the node's: a DEL goes on, and an ADD will see.
  const idOf = (path: string): Promise<string | undefined> => files.namespaceId(path).catch(() => undefined)
  const [own, given] = await Promise.all([idOf(OWN_NAMESPACE), idOf(netns)])
  if (own === undefined || own !== given) return request
  if (command === 'DEL') return { ...request, netns: undefined }
  const details = `CNI_NETNS is ${JSON.stringify(netns)}, which is the network namespace of the node; CNI_NETNS_OVERRIDE=1 allows it`
  throw new CniError(CODE.netns, "plugin's netns and netns from CNI_NETNS should not be the same", details)
}

function asCniError(error: unknown): CniError {
  if (error instanceof CniError) return error
  return new CniError(CODE.internal, error instanceof Error ? error.message : String(error))
}

/** An error is printed in the configuration's version, as far as one can be found. */
function versionIn(stdin: string): CniVersion | undefined {
  const read = readJson(stdin)
  const version = read.ok && isJsonObject(read.json) ? (read.json.cniVersion ?? '0.1.0') : undefined
  return isCniVersion(version) ? version : undefined
}

function about(plugin: string, version: string): string {
  return `CNI plugin ${plugin} of Switchyard ${version}\nCNI protocol versions supported: ${CNI_VERSIONS.join(', ')}\n`
}
