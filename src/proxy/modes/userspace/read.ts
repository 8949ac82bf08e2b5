import { canonicalChains } from 'iptables-parser'
import { saveAll, type Tools } from '#dialects/iptables.ts'
import { listListeners, openListenersOf, proxyPort } from '#dialects/relay.ts'
import type { Ruleset, Unit } from '#proxy/modes/mode.ts'
import { type ModeChains, unitsIn, type Wording } from '#proxy/modes/netfilter/chains.ts'
import { targetOf } from '#proxy/modes/netfilter/foreign-rules.ts'
import { CommandFailed, must } from '#system/must.ts'
import { type Kernel, NOT_FOUND } from '#system/ports.ts'
import type { Family } from '#values/address.ts'
import { isOurChain, listenerOfNote, listenUnit, NON_LOCAL } from './names.ts'

// The relay's listeners and iptables-save → our units, in the same text that we would write.

export async function read(kernel: Kernel, tools: Tools): Promise<Ruleset> {
  const listeners = await openListeners(kernel, tools.family)
  const { stdout } = await must(kernel, saveAll(tools))
  return new Map([...(listeners?.units ?? []), ...unitsIn(stdout, chainsOf(tools), wordingOf(listeners))])
}

/** Every chain may have a line of ours: any that jumps into one of ours is taken for one. */
export function chainsOf({ family }: Tools): ModeChains {
  return {
    tables: ['filter', 'nat'],
    isOurs: isOurChain,
    isShared: () => true,
    isOurLine: (table, line) => {
      const target = targetOf(line)
      return target !== undefined && isOurChain(table, target)
    },
    wording: async kernel => wordingOf(await openListeners(kernel, family)),
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

/**
 * Proxy ports replaced by listener names; a port at which that listener is not open stays a number, which is never
 * wanted text.
 */
function wordingOf(listeners: OpenListeners | undefined): Wording {
  const ports = listeners?.ports
  return text =>
    text
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
