import { isJsonObject, readJson, shownJson } from '#cni/protocol/json.ts'
import type { JsonObject } from '#cni/protocol/request.ts'
import { isCniVersion, NEWEST } from '#cni/protocol/versions.ts'

// The text of a configuration file → the network it describes, by the rules of libcni, or an error that says what is wrong.

export interface NetworkList {
  readonly name: string
  /** Empty where the file has none. */
  readonly cniVersion: string
  readonly disableCheck: boolean
  readonly disableGC: boolean
  readonly loadOnlyInlinedPlugins: boolean
  readonly plugins: readonly JsonObject[]
  /** As it stood in the file, for the cache of results. */
  readonly text: string
}

/** Of a `.conflist`. Further plugins may stand in a folder beside it. */
export function parseNetworkList(text: string): NetworkList {
  const raw = objectIn(text)
  const name = textAt(raw, 'name')
  if (name === '') throw new Error('name is missing; a network is asked for by it')
  const plugins = raw.plugins
  if (plugins !== undefined && (!Array.isArray(plugins) || plugins.length === 0))
    throw new Error(`plugins: ${shownJson(plugins)} is not a list with at least one plugin`)
  const loadOnlyInlinedPlugins = switchAt(raw, 'loadOnlyInlinedPlugins')
  if (plugins === undefined && loadOnlyInlinedPlugins)
    throw new Error('plugins is missing, and with loadOnlyInlinedPlugins there can be none elsewhere')
  return {
    name,
    cniVersion: chosenVersion(raw),
    disableCheck: switchAt(raw, 'disableCheck'),
    disableGC: switchAt(raw, 'disableGC'),
    loadOnlyInlinedPlugins,
    plugins: (plugins ?? []).map((plugin, i) => checkedPlugin(plugin, `plugins[${i}]`)),
    text,
  }
}

/** Of either shape. */
export function parseConfiguration(text: string): NetworkList {
  return 'plugins' in objectIn(text) ? parseNetworkList(text) : listOfOne(parsePlugin(text))
}

/** A plugin in a file of its own: `.conf` or `.json`, also below the folder of a list. */
export function parsePlugin(text: string): JsonObject {
  return checkedPlugin(objectIn(text), '')
}

/** A single plugin is a list with one plugin in it. */
export function listOfOne(plugin: JsonObject): NetworkList {
  const { name, cniVersion = '' } = plugin
  return parseNetworkList(JSON.stringify({ cniVersion, name, plugins: [plugin] }))
}

function checkedPlugin(plugin: unknown, path: string): JsonObject {
  if (!isJsonObject(plugin)) throw new Error(`${path}: ${shownJson(plugin)} is not an object in braces`)
  const at = path === '' ? 'type' : `${path}.type`
  if (plugin.type === undefined || plugin.type === '') throw new Error(`${at} is missing; it names the plugin`)
  if (typeof plugin.type !== 'string') throw new Error(`${at}: ${shownJson(plugin.type)} is not a text in quotes`)
  return plugin
}

/** The newest one of `cniVersion` and `cniVersions` that we know: newer ones are for newer runtimes. */
function chosenVersion(raw: JsonObject): string {
  const own = textAt(raw, 'cniVersion')
  const others = raw.cniVersions
  if (others === undefined) return own
  if (!Array.isArray(others)) throw new Error(`cniVersions: ${shownJson(others)} is not a list in brackets`)
  const known = [...others.map((version, i) => checkedVersion(version, `cniVersions[${i}]`)), own]
    .filter(version => version !== '' && compareVersions(version, NEWEST) <= 0)
    .sort(compareVersions)
  return known.at(-1) ?? own
}

function checkedVersion(version: unknown, path: string): string {
  // Empty text is as good as absent, as for libcni.
  if (version === '') return version
  if (typeof version === 'string' && (isCniVersion(version) || /^\d+(\.\d+){0,2}$/.test(version))) return version
  throw new Error(`${path}: ${shownJson(version)} is not a version such as "${NEWEST}"`)
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.').map(Number), b.split('.').map(Number)]
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function objectIn(text: string): JsonObject {
  const read = readJson(text)
  if (!read.ok) throw new Error(`not JSON: ${read.why}`)
  if (!isJsonObject(read.json)) throw new Error(`${shownJson(read.json)} is not an object in braces`)
  return read.json
}

function textAt(raw: JsonObject, key: string): string {
  const value = raw[key] ?? ''
  if (typeof value !== 'string') throw new Error(`${key}: ${shownJson(value)} is not a text in quotes`)
  return value
}

/** libcni takes the words in quotes, too. */
function switchAt(raw: JsonObject, key: string): boolean {
  const value = raw[key] ?? false
  const word = typeof value === 'string' ? value.toLowerCase() : value
  if (word === true || word === 'true') return true
  if (word === false || word === 'false') return false
  throw new Error(`${key}: ${shownJson(value)} is not true or false`)
}
