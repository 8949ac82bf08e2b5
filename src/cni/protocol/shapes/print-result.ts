import { CniError, CODE } from '#cni/protocol/error.ts'
import type { CniAddress, CniDns, CniInterface, CniResult, CniRoute } from '#cni/protocol/result.ts'
import { atLeast, type CniVersion } from '#cni/protocol/versions.ts'
import { type Address, type Family, familyOf } from '#values/address.ts'
import { cidrFamily } from '#values/cidr.ts'

// A CniResult → the JSON object that a version of the specification has for it. Keys stand in the order in which the
// reference's plugins print them; what a version has no field for is left out, and what it cannot say at all is refused.

type Json = Readonly<Record<string, unknown>>

export function resultJson(result: CniResult, cniVersion: CniVersion): Json {
  if (!atLeast(cniVersion, '0.3.0')) return { cniVersion, ...byFamily(result, cniVersion), dns: dnsJson(result.dns) }
  const dns = dnsJson(result.dns)
  return {
    cniVersion,
    ...unlessEmpty(
      'interfaces',
      result.interfaces.map(it => interfaceJson(it, cniVersion)),
    ),
    ...unlessEmpty(
      'ips',
      result.ips.map(ip => addressJson(ip, cniVersion)),
    ),
    ...unlessEmpty(
      'routes',
      result.routes.map(route => routeJson(route, cniVersion)),
    ),
    // Programs of the time before 1.1.0 print an empty object, those after it nothing.
    ...((!atLeast(cniVersion, '1.1.0') || Object.keys(dns).length > 0) && { dns }),
  }
}

/** Fails as the reference's plugins do where a version before 0.3.0 could not name all addresses. */
function checkAddressCount(addresses: readonly Address[], cniVersion: CniVersion): void {
  if (atLeast(cniVersion, '0.3.0')) return
  const families = addresses.map(familyOf)
  if (new Set(families).size === families.length) return
  throw new CniError(
    CODE.version,
    `CNI version ${cniVersion} does not support more than 1 address per family`,
    `the addresses are ${addresses.join(', ')}; cniVersion 0.3.0 or newer has room for them`,
  )
}

function byFamily({ ips, routes }: CniResult, cniVersion: CniVersion): Json {
  if (ips.length === 0) {
    const details = `a result of version ${cniVersion} must have an address; cniVersion 0.3.0 or newer can do without`
    throw new CniError(CODE.version, 'cannot convert: no valid IP addresses', details)
  }
  checkAddressCount(
    ips.map(({ address }) => address),
    cniVersion,
  )
  const of = (family: Family): Json | undefined => {
    const ip = ips.find(({ address }) => familyOf(address) === family)
    const own = routes.filter(({ dst }) => cidrFamily(dst) === family)
    return ip && { ip: prefixText(ip), ...gatewayJson(ip), ...unlessEmpty('routes', own.map(plainRoute)) }
  }
  const [ip4, ip6] = [of('ipv4'), of('ipv6')]
  return { ...(ip4 && { ip4 }), ...(ip6 && { ip6 }) }
}

function interfaceJson(it: CniInterface, version: CniVersion): Json {
  const isNew = atLeast(version, '1.1.0')
  return {
    name: it.name,
    ...(it.mac && { mac: it.mac }),
    ...(isNew && it.mtu && { mtu: it.mtu }),
    ...(it.sandbox && { sandbox: it.sandbox }),
    ...(isNew && it.socketPath && { socketPath: it.socketPath }),
    ...(isNew && it.pciID && { pciID: it.pciID }),
  }
}

function addressJson(ip: CniAddress, version: CniVersion): Json {
  return {
    ...(!atLeast(version, '1.0.0') && { version: familyOf(ip.address) === 'ipv4' ? '4' : '6' }),
    ...(ip.interface !== undefined && { interface: ip.interface }),
    address: prefixText(ip),
    ...gatewayJson(ip),
  }
}

function routeJson(route: CniRoute, version: CniVersion): Json {
  if (!atLeast(version, '1.1.0')) return plainRoute(route)
  return {
    ...plainRoute(route),
    ...(route.mtu && { mtu: route.mtu }),
    ...(route.advmss && { advmss: route.advmss }),
    ...(route.priority && { priority: route.priority }),
    // Zero is a table and a scope, too.
    ...(route.table !== undefined && { table: route.table }),
    ...(route.scope !== undefined && { scope: route.scope }),
  }
}

function plainRoute({ dst, gw }: CniRoute): Json {
  return { dst, ...(gw && { gw }) }
}

function dnsJson({ nameservers = [], domain = '', search = [], options = [] }: CniDns): Json {
  return {
    ...unlessEmpty('nameservers', nameservers),
    ...(domain !== '' && { domain }),
    ...unlessEmpty('search', search),
    ...unlessEmpty('options', options),
  }
}

function prefixText({ address, prefixLength }: CniAddress): string {
  return `${address}/${prefixLength}`
}

function gatewayJson({ gateway }: CniAddress): Json {
  return gateway === undefined ? {} : { gateway }
}

function unlessEmpty(key: string, items: readonly unknown[]): Json {
  return items.length === 0 ? {} : { [key]: items }
}
