import type { Command } from '#system/ports.ts'
import type { Family } from '#values/address.ts'

// The words of the relay, the program inside this program that answers at proxy ports. It takes commands as the kernel's
// tools do: a command goes out, an outcome comes back.

/** `tcp shop/cart:http` and what its pool says; names and pools stand on one line each. */
export interface Listener {
  readonly name: string
  readonly pool: string
}

export interface OpenListener extends Listener {
  /** The proxy port at which it answers. */
  readonly port: number
}

export function listListeners(family: Family): Command {
  return { does: 'other', family, argv: ['relay', 'list', family] }
}

/** Of each listener: opened at a port of the relay's choice, or, where it is open, given another pool. */
export function openListeners(family: Family, listeners: readonly Listener[]): Command {
  const input = listeners.map(({ name, pool }) => `${name}\t${pool}\n`).join('')
  return { does: 'write', family, argv: ['relay', 'open', family], input }
}

/** Takes no new connections; those that are open stay. */
export function closeListeners(family: Family, names: readonly string[]): Command {
  const input = names.map(name => `${name}\n`).join('')
  return { does: 'write', family, argv: ['relay', 'close', family], input }
}

/** The same command, run with the proxy port in each `proxyPort` of its input. A line whose listener is not open is left out. */
export function withProxyPorts(family: Family, { argv, ...rest }: Command): Command {
  return { argv: ['relay', 'fill', family, ...argv], ...rest }
}

/** The command that is run once its ports are filled in; any other as it is. */
export function filled(command: Command): Command {
  const [program, verb, _family, ...argv] = command.argv
  const [first, ...rest] = argv
  return program === 'relay' && verb === 'fill' && first !== undefined
    ? { ...command, argv: [first, ...rest] }
    : command
}

/** Stands where the port will stand: only the relay knows it. */
export function proxyPort(name: string): string {
  return `{${name}}`
}

/** What `relay list` prints. */
export function openListenersOf(listing: string): readonly OpenListener[] {
  const lines = listing.split('\n').filter(line => line !== '')
  return lines.map(line => {
    const [port, name, pool] = line.split('\t') as [string, string, string]
    return { name, pool, port: Number(port) }
  })
}
