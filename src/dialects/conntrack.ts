import type { Command } from '#system/ports.ts'
import { type Address, type Family, parseAddress } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'

// The connections the kernel remembers, as `conntrack -L` prints them, and the commands that make it forget some.

/** One remembered connection: how it was asked for, and who answers. */
export interface Flow {
  readonly protocol: Protocol
  readonly from: Address
  readonly fromPort: number
  readonly to: Address
  readonly toPort: number
  readonly answeredBy: Address
  readonly answeredByPort: number
}

export function listFlows(family: Family, protocol: Protocol): readonly [string, ...string[]] {
  return ['conntrack', '-L', '-f', family, ...ofProtocol(protocol)]
}

/** Of TCP those that nobody has answered yet: every other ends by itself, and there may be a great many. */
function ofProtocol(protocol: Protocol): readonly string[] {
  return protocol === 'tcp' ? ['-p', 'tcp', '--state', 'SYN_SENT'] : ['-p', protocol]
}

/** Lines that are not connections with ports are passed over. */
export function flowsOf(listing: string): readonly Flow[] {
  return listing.split('\n').flatMap(line => flowOf(line) ?? [])
}

/**
 * Forgets these, in one process: each is named by where it came in and who answers, with all that came in there to the same
 * answerer, because every line costs a look at all connections there are (14 ms among 1,500). One that is gone already is
 * passed over. conntrack opens its input by name, which a socket refuses and our programs' inputs are sockets: so `cat` makes
 * a pipe of it. The script is always this one; nothing of a connection is part of it.
 */
export function forgetFlows(flows: readonly Flow[], family: Family): Command {
  const lines = new Set(flows.map(flow => `${forget(flow, family)}\n`))
  return { argv: ['sh', '-c', 'cat | conntrack -R -'], input: [...lines].join('') }
}

function forget({ protocol, to, toPort, answeredBy, answeredByPort }: Flow, family: Family): string {
  const asked = `--orig-dst ${to} --orig-port-dst ${toPort}`
  return `-D -f ${family} ${ofProtocol(protocol).join(' ')} ${asked} --reply-src ${answeredBy} --reply-port-src ${answeredByPort}`
}

const FLOW =
  /^(\w+)\s+\d+.*?\bsrc=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)\b.*?\bsrc=(\S+) dst=\S+ sport=(\d+) dport=\d+\b/

function flowOf(line: string): Flow | undefined {
  const match = FLOW.exec(line)
  if (match === null) return undefined
  const [, protocol, src, dst, sport, dport, replySrc, replySport] = match
  const from = parseAddress(src)
  const to = parseAddress(dst)
  const answeredBy = parseAddress(replySrc)
  if (from === undefined || to === undefined || answeredBy === undefined) return undefined
  return {
    protocol: protocol as Protocol,
    from,
    fromPort: Number(sport),
    to,
    toPort: Number(dport),
    answeredBy,
    answeredByPort: Number(replySport),
  }
}
