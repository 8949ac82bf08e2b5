import { shownJson } from '#cni/protocol/json.ts'
import { CNI_VERSIONS, isCniVersion, NEWEST } from '#cni/protocol/versions.ts'
import { nearest } from '#config/table/nearest.ts'
import { type JsonMember, type JsonNode, memberOf, type ObjectNode, plainOf, textAt } from '../json/node.ts'
import { checkKeys, type KeyRules, type Place } from '../keys/check-keys.ts'
import { LIST_KEYS } from '../keys/network-keys.ts'
import { PLUGINS } from '../keys/plugin-keys.ts'
import { checkPlugin } from './plugin.ts'

// A whole configuration → what is wrong with it: a list of plugins, or a single one.

export interface NamedFile {
  /** As it was given; by its ending a runtime knows what is in it. */
  readonly file: string
}

export function checkNetwork(root: JsonNode, place: Place & NamedFile): void {
  const { findings, file } = place
  if (root.kind !== 'object') {
    const sentence = `${shownJson(plainOf(root))} is not a configuration; an object in braces is wanted`
    findings.refuse(root.at, '', sentence)
    return
  }
  checkName(root, place)
  checkVersion(root, place)
  const plugins = memberOf(root, 'plugins')
  if (plugins !== undefined) checkList(root, plugins, place)
  else {
    if (file.endsWith('.conflist')) findings.refuse(root.at, 'plugins', NO_LIST)
    checkPlugin(root, place)
  }
}

const NO_LIST =
  'plugins is missing: a .conflist has a list of plugins; write "plugins": [{"type": ...}], or name the file .conf'
const WRONG_ENDING = 'plugins: a list of plugins is read from files that end with .conflist; rename the file'

function checkList(root: ObjectNode, { keyAt, value }: JsonMember, place: Place & NamedFile): void {
  const { findings, file } = place
  if (/\.(conf|json)$/.test(file)) findings.refuse(keyAt, 'plugins', WRONG_ENDING)
  const rules: KeyRules = { keys: LIST_KEYS, of: 'a list of plugins', letterCase: 'counts', nulls: 'refused' }
  checkKeys(root, { ...rules, elsewhere: OF_PLUGINS }, place)
  if (value.kind !== 'list') return
  if (value.items.length === 0) findings.refuse(value.at, 'plugins', 'plugins: [] has no plugin in it')
  for (const [i, plugin] of value.items.entries()) checkPlugin(plugin, { findings, path: `plugins[${i}]` })
}

const OF_PLUGINS: ReadonlyMap<string, string> = new Map(
  ['type', 'capabilities', ...Object.values(PLUGINS).flatMap(keys => Object.keys(keys))].map(key => [
    key,
    'it belongs to a plugin, in "plugins"',
  ]),
)

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
const NAME_WANTED = 'is not the name of a network: letters, digits, "_", "." and "-", and a letter or digit first'

function checkName(root: ObjectNode, { findings }: Place): void {
  const member = written(root, 'name')
  const name = member && plainOf(member.value)
  if (member === undefined)
    findings.refuse(root.at, 'name', 'name is missing; it is the name of the network, such as "mynet"')
  else if (typeof name === 'string' && !NAME.test(name))
    findings.refuse(member.value.at, 'name', `name: ${shownJson(name)} ${NAME_WANTED}`)
}

/** In a list null is refused with the other keys; of a single plugin it is as good as an absent key. */
function written(root: ObjectNode, key: string): JsonMember | undefined {
  const member = memberOf(root, key)
  return member?.value.kind === 'null' && memberOf(root, 'plugins') === undefined ? undefined : member
}

function checkVersion(root: ObjectNode, { findings }: Place): void {
  const member = written(root, 'cniVersion')
  const versions = memberOf(root, 'cniVersions')?.value
  if (versions?.kind === 'list')
    for (const [i, node] of versions.items.entries()) checkOneVersion(node, { findings, path: `cniVersions[${i}]` })
  if (member === undefined) {
    if (versions === undefined) findings.doubt(root.at, 'cniVersion', NO_VERSION)
    return
  }
  checkOneVersion(member.value, { findings, path: 'cniVersion' })
  const isSingle = memberOf(root, 'plugins') === undefined
  if (isSingle && ['1.0.0', '1.1.0'].includes(textAt(root, 'cniVersion') ?? ''))
    findings.doubt(member.value.at, 'cniVersion', NO_SINGLE)
}

const NO_VERSION =
  'cniVersion is missing, so it is 0.1.0, which has no CHECK and one address a family; write "cniVersion": "1.0.0"'
const NO_SINGLE =
  'cniVersion: since 1.0.0 a network is a list of plugins; write {"cniVersion": ..., "name": ..., "plugins": [{...}]} to a .conflist'

/** One that is no text is named with the other keys. */
function checkOneVersion(node: JsonNode, { findings, path }: Place): void {
  const version = plainOf(node)
  if (typeof version !== 'string' || isCniVersion(version) || version === '') return
  const meant = CNI_VERSIONS.findLast(known => known.startsWith(`${version}.`)) ?? nearest(version, CNI_VERSIONS)
  const hint =
    meant === undefined ? `the versions are ${CNI_VERSIONS.join(', ')}` : `did you mean ${JSON.stringify(meant)}?`
  findings.refuse(node.at, path, `${path}: ${shownJson(version)} is no version up to ${NEWEST}; ${hint}`)
}
