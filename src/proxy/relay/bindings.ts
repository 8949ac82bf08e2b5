import type { Family } from '#values/address.ts'
import { parseHostPort, parsePoolLine } from '#values/pool-line.ts'
import type { PortRange } from '#values/port-range.ts'
import { freePort } from './free-port.ts'
import type { Open, Wanted } from './listeners.ts'
import type { Endpoint, Pool, Spot, Transport } from './messages.ts'

// Wanted listeners → where each will listen, and whom it hands clients to.

/** A listener with everything a worker must know of it. */
export interface Listening extends Wanted {
  /** The same in all workers. */
  readonly key: string
  readonly spot: Spot
  readonly endpoints: Pool
}

export interface Question {
  readonly family: Family
  readonly range: PortRange | 'any'
  readonly wanted: readonly Wanted[]
  /** What listens already. */
  readonly open: Iterable<Listening>
  /** Where one listened before. */
  readonly before: ReadonlyMap<string, Spot>
  /** Ports that belong to a name, whether or not it is wanted: to no other, as rules may still lead there. */
  readonly reserved: ReadonlyMap<string, number>
}

export interface Answer {
  readonly found: readonly Listening[]
  /** The names of those for which no port is left. */
  readonly without: readonly string[]
}

export async function findSpots({ family, range, wanted, open, before, reserved }: Question): Promise<Answer> {
  const taken = { tcp: new Set<number>(), udp: new Set<number>() }
  for (const { spot } of open) if (spot.family === family) taken[spot.protocol].add(spot.port)
  const spokenFor = new Set(reserved.values())
  const found: Listening[] = []
  const without: string[] = []
  for (const { name, pool } of wanted) {
    const protocol = protocolOf(name)
    const host = hostOf(family, pool)
    const key = keyOf(family, name)
    const first = before.get(key)?.port ?? reserved.get(name)
    const isTaken = (port: number): boolean => taken[protocol].has(port) || (spokenFor.has(port) && port !== first)
    const port = await freePort({ protocol, host, range, isTaken, first })
    if (port === undefined) without.push(name)
    else {
      taken[protocol].add(port)
      found.push({ name, pool, key, spot: { protocol, family, host, port }, endpoints: poolOf(pool) })
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

export function asOpen({ name, pool, spot: { port } }: Listening): Open {
  return { name, pool, port }
}

/** Throws where the line says nothing of the kind. */
export function poolOf(line: string): Pool {
  const parsed = parsePoolLine(line)
  if (parsed === undefined) throw new Error(`"${line}" must read: to IP:PORT … [sticky SECONDS] [at IP]`)
  const { stickySeconds } = parsed
  const endpoints = parsed.endpoints.map((text): Endpoint => ({ ...parseHostPort(text)!, text }))
  return { endpoints, ...(stickySeconds !== undefined && { stickySeconds }) }
}

function protocolOf(name: string): Transport {
  const [protocol] = name.split(' ', 1)
  if (protocol !== 'tcp' && protocol !== 'udp') throw new Error(`"${name}" must read: tcp NAME or udp NAME`)
  return protocol
}
