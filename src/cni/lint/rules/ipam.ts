import { shownJson } from '#cni/protocol/json.ts'
import { nearest } from '#config/table/nearest.ts'
import { rangeSets } from '#ipam/ranges/range-config.ts'
import { parseDuration } from '#values/duration.ts'
import { isOn, memberOf, nodeAt, type ObjectNode, plainOf, textAt } from '../json/node.ts'
import { below, checkKeys, type Place } from '../keys/check-keys.ts'
import { HOST_LOCAL_TYPES, IPAM_PLUGINS, PLUGINS } from '../keys/plugin-keys.ts'
import { checkGateways } from './gateways.ts'

// The `ipam` of a plugin → what is wrong with it, also that it is not there.

export function checkIpam(plugin: ObjectNode, type: string | undefined, place: Place): void {
  const node = memberOf(plugin, 'ipam')?.value
  const here = { ...place, path: below(place.path, 'ipam') }
  if (node === undefined || node.kind === 'null') missing(plugin, type, place)
  else if (node.kind !== 'object') {
    const hint =
      node.kind === 'text' ? `write {"type": ${shownJson(node.value)}, ...}` : 'write {"type": "host-local", ...}'
    const sentence = `${here.path}: ${shownJson(plainOf(node))} is not an object in braces; ${hint}`
    place.findings.refuse(node.at, here.path, sentence)
  } // An empty object stands for none.
  else if (node.members.length > 0) checkKeysOf(node, { plugin, type }, here)
}

interface Around {
  readonly plugin: ObjectNode
  readonly type: string | undefined
}

function checkKeysOf(node: ObjectNode, { plugin, type }: Around, place: Place): void {
  const ipamType = typeOf(node, place)
  const keys = ipamType !== undefined && Object.hasOwn(IPAM_PLUGINS, ipamType) ? IPAM_PLUGINS[ipamType] : undefined
  if (ipamType === undefined || keys === undefined) return
  const above = Object.keys(PLUGINS[type ?? ''] ?? {})
  const elsewhere = new Map(above.map(key => [key, 'it belongs one level up, beside "ipam"']))
  checkKeys(node, { keys, of: ipamType, elsewhere }, place)
  if (HOST_LOCAL_TYPES.includes(ipamType)) checkHostLocal(plugin, node, place)
  if (isOn(plugin, 'ipMasq') && !isOn(plugin, 'isDefaultGateway')) checkDefaultRoute(node, place)
}

/** Plugins that give their interface no address of their own accord. */
const NEED_ADDRESSES = ['bridge', 'switchyard', 'ptp', 'ipvlan']

function missing(plugin: ObjectNode, type: string | undefined, { findings, path }: Place): void {
  if (type === undefined || !NEED_ADDRESSES.includes(type) || (textAt(plugin, 'plugin') || 'bridge') !== 'bridge')
    return
  const full = below(path, 'ipam')
  const needing = ['isDefaultGateway', 'isGateway', 'ipMasq'].find(key => isOn(plugin, key))
  const example = 'write "ipam": {"type": "host-local", "subnet": "10.22.0.0/16"}'
  if (needing !== undefined)
    findings.refuse(plugin.at, full, `${full} is missing, and ${needing} does nothing without addresses; ${example}`)
  else
    findings.doubt(
      plugin.at,
      full,
      `${full} is missing: pods get an interface without an address; ${example}, if they should have one`,
    )
}

function typeOf(node: ObjectNode, { findings, path }: Place): string | undefined {
  const full = below(path, 'type')
  const type = textAt(node, 'type')
  if (type === undefined || type === '') {
    const value = memberOf(node, 'type')?.value
    const wrong =
      value === undefined || value.kind === 'text' || value.kind === 'null'
        ? `${full} is missing; it names`
        : `${full}: ${shownJson(plainOf(value))} is not a text in quotes; it names`
    findings.refuse(value?.at ?? node.at, full, `${wrong} the plugin that gives addresses, such as "host-local"`)
    return undefined
  }
  if (type.includes('/')) {
    const sentence = `${full}: ${shownJson(type)} is not the name of a plugin: it is looked for in the folders of plugins alone`
    findings.refuse(memberOf(node, 'type')!.value.at, full, sentence)
    return undefined
  }
  if (Object.hasOwn(PLUGINS, type) && !Object.hasOwn(IPAM_PLUGINS, type)) {
    const sentence = `${full}: ${shownJson(type)} makes interfaces, and gives no addresses; write "host-local", say`
    findings.refuse(memberOf(node, 'type')!.value.at, full, sentence)
    return undefined
  }
  const meant = Object.hasOwn(IPAM_PLUGINS, type) ? undefined : nearest(type, Object.keys(IPAM_PLUGINS))
  if (meant === undefined) return type
  const at = memberOf(node, 'type')!.value.at
  findings.doubt(at, full, `${full}: ${shownJson(type)} is no plugin that is known here; did you mean "${meant}"?`)
  return meant
}

/** Masquerade is for what leaves the node, and without a default route nothing of a pod does. */
function checkDefaultRoute(ipam: ObjectNode, { findings, path }: Place): void {
  const routes = memberOf(ipam, 'routes')?.value
  // What is no list has been named already.
  if (routes !== undefined && routes.kind !== 'list') return
  if (routes?.items.some(route => /\/0$|^(default|0\.0\.0\.0|::)$/.test(textAt(route, 'dst') ?? '/0'))) return
  const hint = 'write "routes": [{"dst": "0.0.0.0/0"}], or "isDefaultGateway": true beside "ipam"'
  const full = below(path, 'routes')
  findings.doubt(
    routes?.at ?? ipam.at,
    full,
    `${full}: no default route, so pods reach nothing that ipMasq is for; ${hint}`,
  )
}

function checkHostLocal(plugin: ObjectNode, node: ObjectNode, { findings, path: full }: Place): void {
  const path = full.slice(0, -'ipam'.length).replace(/\.$/, '')
  const dataDir = memberOf(node, 'dataDir')
  if (dataDir !== undefined)
    findings.doubt(
      dataDir.keyAt,
      `${full}.dataDir`,
      `${full}.dataDir: leases are in the database of the node, and nothing is written to this folder`,
    )
  const cooldown = textAt(node, 'cooldown')
  if (cooldown !== undefined && !isCooldown(cooldown))
    findings.refuse(
      memberOf(node, 'cooldown')!.value.at,
      `${full}.cooldown`,
      `${full}.cooldown: ${shownJson(cooldown)} is not a duration from 0s to 24h, such as "30s"`,
    )
  checkGateways(node, { findings, path: full })
  const decoded = rangeSets({ ipam: plainOf(node) as Readonly<Record<string, unknown>> })
  if (decoded.ok) return
  // Ours gives addresses of the node's own ranges then, and says at the first pod where it has none.
  const mayBeElsewhere =
    textAt(node, 'type') === 'switchyard' || isOn(memberOf(plugin, 'capabilities')?.value, 'ipRanges')
  for (const problem of decoded.problems) {
    if (problem.text === 'no IP ranges specified' && mayBeElsewhere) continue
    const { at, path: written, isExact } = nodeAt(plugin, problem.path)
    const field = below(path, isExact ? written : problem.path)
    if (findings.isRefused(field)) continue
    const value = 'value' in problem ? `${shownJson(problem.value)}: ` : ''
    findings.refuse(at, field, `${field}: ${value}${problem.text}; ${problem.hint}`)
  }
}

const LONGEST_COOLDOWN_MS = 24 * 3_600_000

/** As host-local has it. */
function isCooldown(text: string): boolean {
  const ms = parseDuration(text)
  return ms !== undefined && ms >= 0 && ms <= LONGEST_COOLDOWN_MS
}
