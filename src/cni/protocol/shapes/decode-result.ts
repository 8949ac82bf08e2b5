import type { ConfigFields, NumberLimits } from '#cni/protocol/config-fields.ts'
import type { CniAddress, CniDns, CniInterface, CniResult, CniRoute } from '#cni/protocol/result.ts'
import { ADDRESS_BITS, type Address, familyOf, parseAddress } from '#values/address.ts'

// JSON of a result of any version → a CniResult. The shapes of all versions differ in their keys, so a result
// whose version is missing, or is not that of its shape, is understood all the same. Problems stay with the fields.

const ANY: NumberLimits = { least: 0, most: 2 ** 32 - 1 }

export function decodeResult(fields: ConfigFields): CniResult {
  const old = (['ip4', 'ip6'] as const).flatMap(key => fields.object(key) ?? [])
  return {
    interfaces: fields.objects('interfaces').flatMap(interfaceOf),
    ips: [...old.flatMap(ip => addressOf(ip, 'ip')), ...fields.objects('ips').flatMap(ip => addressOf(ip, 'address'))],
    routes: [...old, fields].flatMap(owner => owner.objects('routes').flatMap(routeOf)),
    dns: decodeDns(fields.object('dns')),
  }
}

export function decodeDns(fields: ConfigFields | undefined): CniDns {
  if (fields === undefined) return {}
  const domain = fields.text('domain')
  return {
    ...texts(fields, 'nameservers'),
    ...(domain && { domain }),
    ...texts(fields, 'search'),
    ...texts(fields, 'options'),
  }
}

/** One object of a list of routes, in a result or in the `ipam` of a configuration. A size of 0 is none, as the reference has it. */
export function routeOf(fields: ConfigFields): readonly CniRoute[] {
  const dst = fields.cidr('dst')
  if (dst === undefined) {
    if (!fields.has('dst'))
      fields.complain(`${fields.pathOf('dst')} is missing: an address range such as 0.0.0.0/0 is wanted`)
    return []
  }
  const gw = fields.address('gw')
  return [
    {
      dst,
      ...(gw && { gw }),
      ...count(fields, 'mtu'),
      ...count(fields, 'advmss'),
      ...count(fields, 'priority'),
      ...given('table', fields.number('table', ANY)),
      ...given('scope', fields.number('scope', { least: 0, most: 255 })),
    },
  ]
}

function interfaceOf(fields: ConfigFields): readonly CniInterface[] {
  const name = fields.text('name')
  if (!name) {
    // To leave it out would move those behind it, which addresses name by their number.
    if (name === '' || !fields.has('name'))
      fields.complain(`${fields.pathOf('name')} is missing: the name of an interface such as eth0 is wanted`)
    return []
  }
  return [
    {
      name,
      ...text(fields, 'mac'),
      ...count(fields, 'mtu'),
      ...text(fields, 'sandbox'),
      ...text(fields, 'socketPath'),
      ...text(fields, 'pciID'),
    },
  ]
}

function addressOf(fields: ConfigFields, key: 'ip' | 'address'): readonly CniAddress[] {
  const prefix = parsePrefix(fields.plain(key))
  if (prefix === undefined) {
    fields.problem(key, 'is not an address with its prefix length such as 10.22.0.5/16')
    return []
  }
  const gateway = fields.address('gateway')
  return [{ ...prefix, ...(gateway && { gateway }), ...given('interface', fields.number('interface', ANY)) }]
}

/** `10.22.0.5/16`, the host bits of which matter. */
export function parsePrefix(text: unknown): { readonly address: Address; readonly prefixLength: number } | undefined {
  if (typeof text !== 'string') return undefined
  const [, before, digits] = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const address = parseAddress(before)
  const prefixLength = Number(digits)
  return address === undefined || prefixLength > ADDRESS_BITS[familyOf(address)] ? undefined : { address, prefixLength }
}

function texts<Key extends string>(fields: ConfigFields, key: Key): { readonly [K in Key]?: readonly string[] } {
  const list = fields.texts(key)
  return list.length === 0 ? {} : given(key, list)
}

function text<Key extends string>(fields: ConfigFields, key: Key): { readonly [K in Key]?: string } {
  return given(key, fields.text(key) || undefined)
}

/** Zero is the same as absent. */
function count<Key extends string>(fields: ConfigFields, key: Key): { readonly [K in Key]?: number } {
  return given(key, fields.number(key, ANY) || undefined)
}

function given<Key extends string, T>(key: Key, value: T | undefined): { readonly [K in Key]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [K in Key]?: T }
}
