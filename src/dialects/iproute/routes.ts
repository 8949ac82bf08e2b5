import type { NetworkRoute } from '#system/network/network.ts'
import type { Command } from '#system/ports.ts'
import { type Family, parseAddress } from '#values/address.ts'
import { type Cidr, cidrFamily, hostCidr, parseCidr } from '#values/cidr.ts'
import { jsonOf, valued } from './words.ts'

// Routes → the words of `ip route`, and what it prints → routes.

const FAMILY_WORDS: Readonly<Record<Family, string>> = { ipv4: '-4', ipv6: '-6' }
const EVERYWHERE: Readonly<Record<Family, Cidr>> = { ipv4: parseCidr('0.0.0.0/0')!, ipv6: parseCidr('::/0')! }
const MAIN_TABLE = 254
const LOCAL_TABLE = 255

export function listUnicastRoutes(family: Family): Command {
  const words = ['-json', '-details', '-Numeric', FAMILY_WORDS[family]]
  return { does: 'other', family, argv: ['ip', ...words, 'route', 'show', 'table', 'all', 'type', 'unicast'] }
}

export function networkRoutesOf(stdout: string, family: Family): readonly NetworkRoute[] {
  const printed = jsonOf(stdout) as readonly Printed[]
  return printed.flatMap(route => {
    const table = Number(route.table ?? MAIN_TABLE)
    const destination = destinationOf(route.dst, family)
    if (table === LOCAL_TABLE || destination === undefined) return []
    const source = parseAddress(route.prefsrc)
    const shared = {
      destination,
      table,
      scope: Number(route.scope ?? 0),
      priority: route.metric ?? 0,
      protocol: Number(route.protocol ?? 3),
      ...(source !== undefined && { source }),
      ...metricsOf(route.metrics?.[0]),
    }
    return (route.nexthops ?? [route]).map(hop => ({ ...shared, ...hopOf(hop) }))
  })
}

export function addRoute(route: NetworkRoute): Command {
  const { mtu, advmss, scope } = route
  const more = [...valued('scope', scope), ...valued('mtu', mtu), ...valued('advmss', advmss)]
  return routeCommand('append', route, more)
}

/** What is not named may be anything; metrics are not compared. */
export function deleteRoute(route: NetworkRoute): Command {
  return routeCommand('delete', route, valued('scope', route.scope))
}

function routeCommand(verb: 'append' | 'delete', route: NetworkRoute, more: readonly string[]): Command {
  const { destination, gateway, link, priority, table, source, protocol } = route
  const family = cidrFamily(destination)
  const onLink = verb === 'append' && route.isOnLink ? ['onlink'] : []
  const words = [
    ...valued('via', gateway),
    ...valued('metric', priority),
    ...valued('table', table),
    ...valued('src', source),
    ...valued('protocol', protocol),
  ]
  return {
    does: 'write',
    family,
    argv: [
      'ip',
      FAMILY_WORDS[family],
      'route',
      verb,
      destination,
      ...words,
      ...more,
      ...valued('dev', link),
      ...onLink,
    ],
  }
}

interface PrintedHop {
  readonly gateway?: string
  readonly dev?: string
  readonly flags?: readonly string[]
}

/** Of the fields that are printed, those that are of interest. */
interface Printed extends PrintedHop {
  readonly dst: string
  readonly table?: string
  readonly scope?: string
  readonly metric?: number
  readonly protocol?: string
  readonly prefsrc?: string
  readonly metrics?: readonly PrintedMetrics[]
  readonly nexthops?: readonly PrintedHop[]
}

interface PrintedMetrics {
  readonly mtu?: number
  readonly advmss?: number
}

/** A single address stands without its prefix length. One of IPv6 that is mapped from IPv4 is not read. */
function destinationOf(text: string, family: Family): Cidr | undefined {
  if (text === 'default') return EVERYWHERE[family]
  const host = parseAddress(text)
  const cidr = host === undefined ? parseCidr(text) : hostCidr(host)
  return cidr !== undefined && cidrFamily(cidr) === family ? cidr : undefined
}

function hopOf({ gateway, dev, flags = [] }: PrintedHop): Partial<NetworkRoute> {
  const address = parseAddress(gateway)
  return {
    ...(address !== undefined && { gateway: address }),
    ...(dev !== undefined && { link: dev }),
    ...(flags.includes('onlink') && { isOnLink: true }),
  }
}

function metricsOf({ mtu, advmss }: PrintedMetrics = {}): Partial<NetworkRoute> {
  return { ...(mtu !== undefined && { mtu }), ...(advmss !== undefined && { advmss }) }
}
