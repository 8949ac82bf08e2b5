import { Scalar, stringify } from 'yaml'
import type { Choices } from '#config/choices.ts'
import { API_VERSION, KIND } from '#config/kube-proxy-configuration.ts'
import { isZero, KINDS, type Value } from '#config/table/kinds.ts'
import { FIELDS, type FieldSetting } from '#config/table/table.ts'

// Choices → the KubeProxyConfiguration that says the same: for --write-config-to and /configz.

export type Configuration = Readonly<Record<string, unknown>>

/** Zero values included; of the modes only the chosen one has its periods, as kube-proxy writes it. */
export function effectiveConfiguration(choices: Choices): Configuration {
  const configuration: Record<string, unknown> = { apiVersion: API_VERSION, kind: KIND }
  for (const setting of FIELDS) {
    const value = writtenValue(choices, setting)
    if (setting.omitZero && isZero(value)) continue
    place(configuration, setting.field.split('.'), KINDS[setting.kind].toFile(value))
  }
  return configuration
}

/** What kube-proxy would show of it: fields of its own, and of ours those that mean something in this mode. */
export function shownConfiguration({ udpIdleTimeout, ...rest }: Configuration): Configuration {
  return rest.mode === 'userspace' ? { ...rest, udpIdleTimeout } : rest
}

/** YAML with sorted keys: the same settings give the same bytes. */
export function configurationYaml(configuration: Configuration): string {
  return stringify(asText(configuration), { sortMapEntries: true, indentSeq: false, lineWidth: 0 })
}

/** In the YAML that Go reads these are true and false: a node whose name is `no` would have none. */
const WORDS_OF_GO = /^(?:y|yes|n|no|on|off)$/i

function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, of]) => [name, asText(of)]))
  if (typeof value !== 'string' || !WORDS_OF_GO.test(value)) return value
  const quoted = new Scalar(value)
  quoted.type = Scalar.QUOTE_DOUBLE
  return quoted
}

function writtenValue(choices: Choices, { field }: FieldSetting): Value {
  const { value } = choices.of(field)
  const mode = choices.text('mode')
  const [section, name] = field.split('.')
  const sectionOfMode = mode === 'ipvs' || mode === 'nftables' ? mode : 'iptables'
  if (name === 'syncPeriod' || name === 'minSyncPeriod') return section === sectionOfMode ? value : 0
  if (name === 'masqueradeAll') return value === true && (section === 'nftables') === (mode === 'nftables')
  return value
}

function place(into: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[name!] = value
  else {
    into[name!] ??= {}
    place(into[name!] as Record<string, unknown>, rest, value)
  }
}
