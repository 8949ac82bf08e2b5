import { canonicalChains } from 'iptables-parser'
import { saveAll, type Tools } from '#dialects/iptables.ts'
import { listListeners, openListenersOf, proxyPort } from '#dialects/relay.ts'
import type { ModeChains } from '#proxy/modes/iptables-watches.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { CommandFailed, must } from '#system/must.ts'
import { type Kernel, NOT_FOUND } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import {
  chainUnit,
  isOurChain,
  lineUnit,
  listenerOfNote,
  listenUnit,
  NON_LOCAL,
  TABLES,
  type UserspaceTable,
} from './names.ts'

// The relay's listeners and iptables-save → our units, in the same text that we would write.

export async function read(kernel: Kernel, tools: Tools): Promise<Ruleset> {
  const listeners = await openListeners(kernel, tools.family)
  const { stdout } = await must(kernel, saveAll(tools))
  const units = ourUnits(stdout, listeners?.ports)
  return new Map([...(listeners?.units ?? []), ...units])
}

/** Every chain may hold a line of ours: any that jumps into one of ours is taken for one. */
export function chainsOf({ family }: Tools): ModeChains {
  return {
    tables: TABLES,
    isOurs: (table, chain) => isOurChain(table as UserspaceTable, chain),
    isShared: () => true,
    unitsIn: async (kernel, save) => ourUnits(save, (await openListeners(kernel, family))?.ports),
  }
}

interface OpenListeners {
  readonly units: ReadonlyMap<Unit, string>
  readonly ports: Ports
}

/** Ports of open listeners, by listener name. */
type Ports = ReadonlyMap<string, number>

/** Undefined where this process has no relay: another process may have one, and the rules are for its listeners. */
async function openListeners(kernel: Kernel, family: Family): Promise<OpenListeners | undefined> {
  const command = listListeners(family)
  const outcome = await kernel.run(command)
  if (outcome.code === NOT_FOUND) return undefined
  if (outcome.code !== 0) throw new CommandFailed(command, outcome)
  const open = openListenersOf(outcome.stdout)
  return {
    units: new Map(open.map(({ name, pool }) => [listenUnit(name), pool])),
    ports: new Map(open.map(({ name, port }) => [name, port])),
  }
}

export function ourUnits(save: string, ports?: Ports): Ruleset {
  const found = new Map<Unit, string>()
  const tables = canonicalChains(save)
  for (const table of TABLES) {
    for (const [chain, text] of tables.get(table) ?? []) {
      if (!isOurChain(table, chain)) collectJumps(table, text, found)
      else found.set(chainUnit(table, chain), named(text, ports))
    }
  }
  return found
}

const TARGET = / -[jg] (KUBE-[A-Z0-9-]+)$/

/** In chains we do not own: each line that jumps into one of ours. */
function collectJumps(table: UserspaceTable, text: string, found: Map<Unit, string>): void {
  if (text === '') return
  for (const line of text.split('\n')) {
    const target = TARGET.exec(line)?.[1]
    if (target === undefined || !isOurChain(table, target)) continue
    let copy = 1
    while (found.has(lineUnit(table, line, copy))) copy++
    found.set(lineUnit(table, line, copy), '')
  }
}

/**
 * Proxy ports replaced by listener names; a port at which that listener is not open stays a number, which is never
 * wanted text.
 */
function named(text: string, ports: Ports | undefined): string {
  return text
    .split('\n')
    .map(line => {
      const [, protocol, note] = LISTENER.exec(line) ?? []
      if (protocol === undefined || note === undefined) return line
      const name = listenerOfNote(protocol, note)
      const isRight = (port: string): boolean => ports === undefined || ports.get(name) === Number(port)
      return line.replace(portPattern(line), (all, before: string, port: string, after: string) =>
        isRight(port) ? `${before}${proxyPort(name)}${after}` : all,
      )
    })
    .join('\n')
}

/** The proxy ports that the kernel's rules redirect to, by listener name. */
export function standingPorts(save: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const [chain, text] of canonicalChains(save).get('nat') ?? []) {
    if (!isOurChain('nat', chain)) continue
    for (const line of text.split('\n')) {
      const [, protocol, note] = LISTENER.exec(line) ?? []
      const port = portPattern(line).exec(line)?.[2]
      if (protocol !== undefined && note !== undefined && port !== undefined)
        found.set(listenerOfNote(protocol, note), Number(port))
    }
  }
  return found
}

const LISTENER = /^-A .*?-p (tcp|udp) -m comment --comment "([^"]*)" /

/** A pattern for the proxy port in a line. */
function portPattern(line: string): RegExp {
  return line.startsWith(`-A ${NON_LOCAL} `)
    ? /( --dport )(\d+)( -m state --state NEW -j ACCEPT)$/
    : /( -j (?:REDIRECT --to-ports |DNAT --to-destination \S+:))(\d+)()$/
}
