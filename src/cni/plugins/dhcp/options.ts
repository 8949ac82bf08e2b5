import { hash } from 'node:crypto'
import { ConfigFields } from '#cni/protocol/config-fields.ts'
import type { CniRequest } from '#cni/protocol/request.ts'
import { parseDuration } from '#values/duration.ts'
import { type DhcpOptions, OPTION } from './message.ts'

// The `ipam` section of a configuration → what the client asks a server for, and what it says of itself.

export interface DhcpConfig {
  /** Options that are asked for, by number. */
  readonly wanted: readonly number[]
  readonly provided: DhcpOptions
  /** Of the routes in the result: their metric. */
  readonly priority?: number
  /** How long servers are asked before the pod is refused. */
  readonly timeoutMs: number
}

/** By the names the reference plugin has for them; any other by its number. */
const NAMES: Readonly<Record<string, number>> = {
  'dhcp-client-identifier': OPTION.clientId,
  'subnet-mask': OPTION.subnetMask,
  routers: OPTION.routers,
  'host-name': OPTION.hostName,
  'user-class': OPTION.userClass,
  'vendor-class-identifier': OPTION.vendorClass,
}

const DEFAULT_WANTED: readonly number[] = [
  OPTION.routers,
  OPTION.subnetMask,
  OPTION.classlessRoutes,
  OPTION.staticRoutes,
]
const CLIENT_ID_CHARACTERS = 254
/** Runtimes give up after some minutes; a server that first tries the address with a ping answers after three seconds. */
const DEFAULT_TIMEOUT_MS = 60_000
const [SHORTEST_TIMEOUT_MS, LONGEST_TIMEOUT_MS] = [1000, 600_000]
/** What one option holds. */
const VALUE_BYTES = 255

export function dhcpConfig(request: CniRequest): DhcpConfig {
  const fields = new ConfigFields(request.config.raw).object('ipam') ?? new ConfigFields({}, 'ipam')
  const priority = fields.number('priority', { least: 0, most: 0xffff_ffff })
  const timeoutMs = timeoutIn(fields)
  const asked = fields.objects('request')
  const extra = asked.flatMap(one => optionNumber(one) ?? [])
  const isDefaultSkipped = asked.some(one => one.isOn('skipDefault'))
  const provided = fields.objects('provide').flatMap(one => providedOption(one, request))
  fields.refuse()
  return {
    wanted: [...new Set([...(isDefaultSkipped ? [] : DEFAULT_WANTED), ...extra])],
    provided: new Map([[OPTION.clientId, clientId(request)], ...provided]),
    timeoutMs,
    ...(priority !== undefined && { priority }),
  }
}

function timeoutIn(fields: ConfigFields): number {
  const text = fields.text('timeout')
  if (text === undefined) return DEFAULT_TIMEOUT_MS
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= SHORTEST_TIMEOUT_MS && ms <= LONGEST_TIMEOUT_MS) return ms
  fields.problem('timeout', 'is not a duration from 1s to 10m, such as 30s')
  return DEFAULT_TIMEOUT_MS
}

/** Type 0 (RFC 2132), then a name that is the attachment's and no other's: two that were cut alike would be given one address. */
function clientId({ container, ifname, config }: CniRequest): Buffer {
  const name = `${container}/${config.name}/${ifname}`
  return Buffer.from(`\0${name.length > CLIENT_ID_CHARACTERS ? hash('sha512', name) : name}`)
}

function providedOption(fields: ConfigFields, { args }: CniRequest): readonly (readonly [number, Buffer])[] {
  const code = optionNumber(fields)
  const fromArg = fields.text('fromArg')
  const text = fields.text('value') ?? (fromArg === undefined ? undefined : args.get(fromArg))
  if (!fields.has('value') && fromArg === undefined)
    fields.complain(`${fields.pathOf('value')} is missing, and so is fromArg`)
  if (code === undefined || text === undefined) return []
  const value = Buffer.from(code === OPTION.clientId ? `\0${text}` : text)
  if (value.length > VALUE_BYTES) fields.problem('value', `is longer than the ${VALUE_BYTES} bytes of an option`)
  return [[code, value]]
}

function optionNumber(fields: ConfigFields): number | undefined {
  const plain = fields.plain('option')
  const word = typeof plain === 'number' ? String(plain) : plain
  const number =
    typeof word === 'string' ? (NAMES[word] ?? (/^\d{1,3}$/.test(word) ? Number(word) : undefined)) : undefined
  if (number !== undefined && number <= 255) return number
  fields.problem('option', `is not a number from 0 to 255, nor ${Object.keys(NAMES).join(', ')}`)
  return undefined
}
