import { familyOf } from '#values/address.ts'
import { configuredAddress, withPort } from './addresses.ts'
import { type Choice, Choices } from './choices.ts'
import type { GivenFlags } from './flags.ts'
import type { GivenFields } from './kube-proxy-configuration.ts'
import { isZero, type Value } from './table/kinds.ts'
import { keyOf, type Setting } from './table/setting.ts'
import { TABLE } from './table/table.ts'

// The flags, the file if there is one, and the defaults → one value for every setting, by kube-proxy's precedence.

type Flags = GivenFlags['values']
type Fields = GivenFields['fields']

export const HEALTHZ_PORT = 10_256
export const METRICS_PORT = 10_249

export function withoutFile(flags: Flags): Choices {
  const choices = new Map(TABLE.map(setting => [keyOf(setting), flagChoice(setting, flags)]))
  return platformDefaults(new Choices(choices).with(deprecatedPorts(new Choices(choices))))
}

/** The file counts, and of the flags only those that are marked so in the table. */
export function withFile(flags: Flags, fields: Fields): Choices {
  const choices = new Choices(new Map(TABLE.map(setting => [keyOf(setting), fileChoice(setting, flags, fields)])))
  return platformDefaults(choices.with(serverAddresses(choices)))
}

/** Flags that mean nothing beside --config. */
export function flagsIgnored(flags: Flags): readonly Setting[] {
  return TABLE.filter(setting => setting.besideConfig === undefined && flags.has(keyOf(setting)))
}

function flagChoice(setting: Setting, flags: Flags): Choice {
  const given = flags.get(keyOf(setting)) ?? flags.get(setting.follows ?? '')
  return given === undefined ? { value: setting.initial, from: 'default' } : { value: given, from: 'flag' }
}

function fileChoice(setting: Setting, flags: Flags, fields: Fields): Choice {
  const key = keyOf(setting)
  const flag = setting.besideConfig ? flags.get(key) : undefined
  const field = fields.get(key)
  const counts = field !== undefined && (!isZero(field.value) || zeroCounts(setting, fields))
  if (flag !== undefined && !isEmptyOverride(key, flag)) {
    // Both say for which source files more is logged: of two patterns that match, the first one counts.
    const joined = setting.kind === 'vmodule' && counts ? [...asList(flag), ...asList(field.value)] : flag
    return { value: joined, from: 'flag' }
  }
  if (counts) return { ...field, from: 'file' }
  return { value: setting.fileInitial ?? setting.initial, from: 'default' }
}

/** `--hostname-override=` takes nothing back: the file's name stays. */
function isEmptyOverride(key: string, value: Value): boolean {
  return key === 'hostnameOverride' && value === ''
}

function zeroCounts({ zeroCounts, zeroCountsUnlessZero }: Setting, fields: Fields): boolean {
  if (zeroCounts) return true
  return zeroCountsUnlessZero !== undefined && fields.get(zeroCountsUnlessZero)?.value !== 0
}

/** --healthz-port and --metrics-port: 0 turns the server off, another one counts where the address names no port. */
function deprecatedPorts(choices: Choices): ReadonlyMap<string, Choice> {
  const merged = (field: string, flag: string): [string, Choice] => {
    const address = choices.of(field)
    const port = choices.number(flag)
    if (port === 0) return [field, { value: '', from: 'flag' }]
    return [field, { ...address, value: withPort(address.value as string, port) }]
  }
  return new Map([merged('healthzBindAddress', '--healthz-port'), merged('metricsBindAddress', '--metrics-port')])
}

/** In a file the servers follow the family of bindAddress, unless they have addresses of their own. */
function serverAddresses(choices: Choices): ReadonlyMap<string, Choice> {
  const bind = configuredAddress(choices.text('bindAddress'))
  const isIPv6 = bind !== undefined && familyOf(bind) === 'ipv6'
  const complete = (field: string, port: number, loopback: string): [string, Choice] => {
    const choice = choices.of(field)
    if (choice.from !== 'default') return [field, { ...choice, value: withPort(choice.value as string, port) }]
    return isIPv6 ? [field, { value: withPort(loopback, port), from: 'default' }] : [field, choice]
  }
  return new Map([
    complete('healthzBindAddress', HEALTHZ_PORT, '::'),
    complete('metricsBindAddress', METRICS_PORT, '::1'),
  ])
}

/** What is left empty and has a meaning all the same. */
function platformDefaults(choices: Choices): Choices {
  const changes = new Map<string, Choice>()
  const fill = (key: string, value: Value) => {
    if (isZero(choices.of(key).value)) changes.set(key, { value, from: 'default' })
  }
  fill('mode', 'iptables')
  fill('detectLocalMode', 'ClusterCIDR')
  if (choices.text('mode') === 'nftables') fill('nodePortAddresses', ['primary'])
  // A name of nothing but spaces stays, for validation to refuse.
  const { value, ...hostname } = choices.of('hostnameOverride')
  const trimmed = (value as string).trim().toLowerCase()
  if (trimmed !== '') changes.set('hostnameOverride', { ...hostname, value: trimmed })
  return choices.with(changes)
}

function asList(value: Value): readonly string[] {
  return value as readonly string[]
}
