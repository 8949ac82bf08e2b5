// Text → names that are safe in a rule, or nothing.

/** `namespace/name`, or just `name` for objects without a namespace. */
export type ObjectName = string & { readonly __brand: 'ObjectName' }
/** The name of a port: empty, or a DNS label. */
export type PortName = string & { readonly __brand: 'PortName' }

const LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

/** Namespaces are DNS labels; object names DNS subdomains. Neither can hold a space, a quote or a newline. */
export function parseObjectName(namespace: unknown, name: unknown): ObjectName | undefined {
  if (typeof name !== 'string' || !SUBDOMAIN.test(name)) return undefined
  if (namespace === undefined || namespace === '') return name as ObjectName
  if (typeof namespace !== 'string' || !LABEL.test(namespace)) return undefined
  return `${namespace}/${name}` as ObjectName
}

export function parsePortName(text: unknown): PortName | undefined {
  if (text === undefined || text === '') return '' as PortName
  return typeof text === 'string' && LABEL.test(text) ? (text as PortName) : undefined
}

/** `shop/cart:http`, or `shop/cart` where the port has no name: how kube-proxy writes and hashes a service port. */
export function portId(service: ObjectName, port: PortName): string {
  return port === '' ? service : `${service}:${port}`
}

/** True for a port number that a packet can carry. */
export function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 65535
}
