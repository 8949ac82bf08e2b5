import { shownJson } from '#cni/protocol/json.ts'
import { nearest } from '#config/table/nearest.ts'
import { type JsonMember, type JsonNode, memberOf, type ObjectNode, plainOf, textAt } from '../json/node.ts'
import { below, checkKeys, type Place } from '../keys/check-keys.ts'
import { PLUGIN_KEYS, RUNTIME_KEYS } from '../keys/network-keys.ts'
import { IPAM_PLUGINS, PLUGINS } from '../keys/plugin-keys.ts'
import { checkIpam } from './ipam.ts'
import { checkByReading } from './reading.ts'

// One plugin of a configuration → what is wrong with it: its type, its keys, its `ipam`, then what only the plugin itself knows.

export function checkPlugin(node: JsonNode, place: Place): void {
  const { findings, path } = place
  if (node.kind !== 'object') {
    findings.refuse(node.at, path, `${path}: ${shownJson(plainOf(node))} is not an object in braces`)
    return
  }
  const type = textAt(node, 'type') || undefined
  checkType(node, type, place)
  const own = type !== undefined && Object.hasOwn(PLUGINS, type) ? PLUGINS[type] : undefined
  const rules = { keys: { ...PLUGIN_KEYS, ...own }, of: type ?? 'a plugin', elsewhere: ELSEWHERE }
  checkKeys(node, own === undefined ? { ...rules, others: 'allowed' } : rules, place)
  for (const key of RUNTIME_KEYS) checkRuntimeKey(memberOf(node, key), place)
  checkIpam(node, type, place)
  if (type !== undefined) checkByReading(node, type, place)
}

/** Of what stands one level too high. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map(
  Object.keys(IPAM_PLUGINS['host-local']!).map(key => [key, 'it belongs into "ipam"']),
)

function checkType(node: ObjectNode, type: string | undefined, { findings, path }: Place): void {
  const full = below(path, 'type')
  const member = memberOf(node, 'type')
  if (type === undefined) {
    // One that is no text is named with the other keys.
    if (member === undefined || member.value.kind === 'text' || member.value.kind === 'null')
      findings.refuse(member?.value.at ?? node.at, full, `${full} is missing; it names the plugin, such as "bridge"`)
  } else if (type.includes('/')) {
    const sentence = `${full}: ${shownJson(type)} is not the name of a plugin: runtimes look for it in their folders alone`
    findings.refuse(member!.value.at, full, sentence)
  } else if (Object.hasOwn(IPAM_PLUGINS, type) && !Object.hasOwn(PLUGINS, type)) {
    const hint = 'it belongs into "ipam" of another plugin'
    findings.refuse(member!.value.at, full, `${full}: "${type}" gives addresses, and makes no interface; ${hint}`)
  } else if (!Object.hasOwn(PLUGINS, type)) {
    const meant = nearest(type, Object.keys(PLUGINS))
    const sentence = `${full}: ${shownJson(type)} is no plugin that is known here; did you mean "${meant}"?`
    if (meant !== undefined) findings.doubt(member!.value.at, full, sentence)
  }
}

function checkRuntimeKey(member: JsonMember | undefined, { findings, path }: Place): void {
  if (member === undefined) return
  const full = below(path, member.key)
  findings.doubt(member.keyAt, full, `${full} is put there by the runtime; remove it from the file`)
}
