import { configuredCidr, hasLeadingZeros, splitHostPort, splitRanges } from './addresses.ts'
import type { Choices } from './choices.ts'
import { flagsIgnored, HEALTHZ_PORT, METRICS_PORT } from './defaults.ts'
import type { GivenFlags } from './flags.ts'
import { gateWarnings } from './table/gates.ts'
import { isZero, KINDS, type Value } from './table/kinds.ts'
import { gateMap } from './table/pair-lists.ts'
import { keyOf, type ModeName, nameOf, type Setting, verbsOf } from './table/setting.ts'
import { settingOf, TABLE } from './table/table.ts'
import type { Verb } from './verbs.ts'

// Flags and choices → what the user should know although it stops nothing, one line each. A file may hold settings of all
// verbs: the line is for the verbs that read them.

type Flags = GivenFlags['values']

export function warnings(verb: Verb, flags: Flags, choices: Choices): readonly string[] {
  const read = TABLE.filter(setting => verbsOf(setting).includes(verb))
  const isRead = (key: string): boolean => read.includes(settingOf(key))
  return [
    ...deprecated(flags),
    ...ignored(flags, choices),
    ...withoutEffect(read, flags, choices),
    ...otherModes(read, choices),
    ...idlePorts(flags, choices),
    ...(isRead('featureGates') ? gateWarnings(gateMap(choices.list('featureGates'))) : []),
    ...oddAddresses(isRead, choices),
    ...(isRead('hostnameOverride') ? oddHostname(choices) : []),
  ]
}

/** In the words kube-proxy has for it. */
function deprecated(flags: Flags): readonly string[] {
  return TABLE.filter(setting => setting.deprecated !== undefined && flags.has(keyOf(setting))).map(
    ({ flag, deprecated }) =>
      `Flag --${flag} has been deprecated, This flag is deprecated and will be removed in a future release. Please use ${deprecated} instead.`,
  )
}

function ignored(flags: Flags, choices: Choices): readonly string[] {
  const file = choices.text('--config')
  const names =
    file === '' ? [] : flagsIgnored(flags).map(({ flag, field }) => (field ? `--${flag} (${field})` : `--${flag}`))
  if (names.length === 0) return []
  return [
    `--config ${JSON.stringify(file)} is given, so these flags are ignored: ${names.join(', ')}; set them in the file`,
  ]
}

/** A flag is worth a line whenever it is given, a field only where it asks for other than the default: tools write every field. */
function withoutEffect(read: readonly Setting[], flags: Flags, choices: Choices): readonly string[] {
  return read.flatMap(setting => {
    if (setting.noEffect === undefined) return []
    const key = keyOf(setting)
    const { from, value } = choices.of(key)
    const asked = from === 'flag' ? flags.has(key) : from === 'file' && differs(setting, value)
    return asked ? [`${choices.named(key)} has no effect: ${setting.noEffect}`] : []
  })
}

function otherModes(read: readonly Setting[], choices: Choices): readonly string[] {
  const mode = choices.text('mode') as ModeName
  const idle = read.filter(setting => {
    const { from, value } = choices.of(keyOf(setting))
    const elsewhere = setting.modes !== undefined && !setting.modes.includes(mode)
    // What a flag gives a setting of another mode by the way was not asked for there.
    const asked = from === 'file' || (from === 'flag' && setting.follows === undefined && !isFollowed(setting, mode))
    return elsewhere && asked && differs(setting, value)
  })
  if (idle.length === 0) return []
  const names = idle.map(setting => nameOf(setting, choices.of(keyOf(setting)).from === 'file' ? 'file' : 'flag'))
  return [`without effect in ${mode} mode: ${names.join(', ')}`]
}

/** Whether the flag means something in this mode through a field that follows it. */
function isFollowed({ field }: Setting, mode: ModeName): boolean {
  return TABLE.some(({ follows, modes }) => field !== undefined && follows === field && modes?.includes(mode))
}

function differs(setting: Setting, value: Value): boolean {
  const { toText } = KINDS[setting.kind]
  return !isZero(value) && toText(value) !== toText(setting.initial)
}

function idlePorts(flags: Flags, choices: Choices): readonly string[] {
  if (choices.text('--config') !== '') return []
  const idle = (flag: string, key: string, usual: number) => {
    const port = flags.get(`--${flag}`)
    const address = choices.text(key)
    if (port === undefined || port === 0 || port === usual || splitHostPort(address)?.port === String(port)) return []
    return [`--${flag}=${port} has no effect: the address ${address} names a port already`]
  }
  return [
    ...idle('healthz-port', 'healthzBindAddress', HEALTHZ_PORT),
    ...idle('metrics-port', 'metricsBindAddress', METRICS_PORT),
  ]
}

function oddAddresses(isRead: (key: string) => boolean, choices: Choices): readonly string[] {
  const texts: readonly (readonly [string, string])[] = [
    ...['bindAddress', 'healthzBindAddress', 'metricsBindAddress'].map(key => [key, choices.text(key)] as const),
    ...splitRanges(choices.text('clusterCIDR')).map(range => ['clusterCIDR', range] as const),
    ...['nodePortAddresses', 'ipvs.excludeCIDRs'].flatMap(key => choices.list(key).map(range => [key, range] as const)),
  ]
  return texts.flatMap(([key, text]) => {
    if (!isRead(key)) return []
    if (hasLeadingZeros(splitHostPort(text)?.host ?? text)) {
      return [`${choices.named(key)}: ${JSON.stringify(text)} has leading zeros; it is read as decimal`]
    }
    // Validation refuses a bad range where it is used; elsewhere it is left out, but not in silence.
    const isRange = key === 'clusterCIDR' || key === 'ipvs.excludeCIDRs'
    const unsound = isRange && configuredCidr(text) === undefined
    return unsound ? [`${choices.named(key)}: ${JSON.stringify(text)} is not a CIDR block and is left out`] : []
  })
}

/** Such a Node cannot exist, so the agent would wait for it for ever. */
function oddHostname(choices: Choices): readonly string[] {
  const name = choices.text('hostnameOverride')
  if (/^$|^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) return []
  return [`${choices.named('hostnameOverride')}: ${JSON.stringify(name)} cannot be the name of a Node`]
}
