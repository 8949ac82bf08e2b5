import type { Listener, OpenListener } from '#dialects/relay.ts'
import type { Family } from '#values/address.ts'
import { parseHostPort, parsePoolLine } from '#values/pool-line.ts'
import type { PortRange } from '#values/port-range.ts'
import { freePort } from './free-port.ts'
import type { Binding, ListenerProtocol, Pool, PoolEndpoint } from './messages.ts'

// Wanted listeners → the address and port each binds, and the pool it hands clients to.

/** A listener with everything a worker needs to open it. */
export interface BoundListener extends Listener {
  /** The same in all workers. */
  readonly key: string
  readonly binding: Binding
  readonly endpoints: Pool
}

export interface BindingOptions {
  readonly family: Family
  readonly range: PortRange | 'any'
  readonly wanted: readonly Listener[]
  /** Listeners that are open already. */
  readonly open: Iterable<BoundListener>
  /** The binding a listener had before, by its key. */
  readonly before: ReadonlyMap<string, Binding>
  /** Ports by listener name, wanted or not. No other listener gets one of them: rules may still lead there. */
  readonly reserved: ReadonlyMap<string, number>
}

export interface BindingResult {
  readonly found: readonly BoundListener[]
  /** The names of those for which no port is left. */
  readonly without: readonly string[]
}

export async function findBindings({
  family,
  range,
  wanted,
  open,
  before,
  reserved,
}: BindingOptions): Promise<BindingResult> {
  const taken = { tcp: new Set<number>(), udp: new Set<number>() }
  for (const { binding } of open) if (binding.family === family) taken[binding.protocol].add(binding.port)
  const reservedPorts = new Set(reserved.values())
  const found: BoundListener[] = []
  const without: string[] = []
  for (const { name, pool } of wanted) {
    const protocol = protocolOf(name)
    const host = hostOf(family, pool)
    const key = keyOf(family, name)
    const first = before.get(key)?.port ?? reserved.get(name)
    const isTaken = (port: number): boolean => taken[protocol].has(port) || (reservedPorts.has(port) && port !== first)
    const port = await freePort({ protocol, host, range, isTaken, first })
    if (port === undefined) without.push(name)
    else {
      taken[protocol].add(port)
      found.push({ name, pool, key, binding: { protocol, family, host, port }, endpoints: poolOf(pool) })
    }
  }
  return { found, without }
}

const EVERYWHERE: Readonly<Record<Family, string>> = { ipv4: '0.0.0.0', ipv6: '::' }

export function hostOf(family: Family, line: string): string {
  return parsePoolLine(line)?.at ?? EVERYWHERE[family]
}

export function keyOf(family: Family, name: string): string {
  return `${family} ${name}`
}

export function asOpen({ name, pool, binding: { port } }: BoundListener): OpenListener {
  return { name, pool, port }
}

/** Throws where the line is not a pool. */
export function poolOf(line: string): Pool {
  const parsed = parsePoolLine(line)
  if (parsed === undefined) throw new Error(`"${line}" must read: to IP:PORT … [sticky SECONDS] [at IP]`)
  const { stickySeconds } = parsed
  const endpoints = parsed.endpoints.map((text): PoolEndpoint => ({ ...parseHostPort(text)!, text }))
  return { endpoints, ...(stickySeconds !== undefined && { stickySeconds }) }
}

function protocolOf(name: string): ListenerProtocol {
  const [protocol] = name.split(' ', 1)
  if (protocol !== 'tcp' && protocol !== 'udp') throw new Error(`"${name}" must read: tcp NAME or udp NAME`)
  return protocol
}
