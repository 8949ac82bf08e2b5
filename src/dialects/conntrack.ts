import type { Command } from '#system/ports.ts'
import { type Address, type Family, parseAddress } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'

// The connections the kernel tracks, as `conntrack -L` prints them, and the commands that delete some.

/** One remembered connection: what the client asked for, and which address answers. */
export interface Flow {
  readonly protocol: Protocol
  readonly from: Address
  readonly fromPort: number
  readonly to: Address
  readonly toPort: number
  readonly answeredBy: Address
  readonly answeredByPort: number
}

export function listFlows(family: Family, protocol: Protocol): Command {
  return { does: 'conntrack', family, argv: ['conntrack', '-L', '-f', family, ...ofProtocol(protocol)] }
}

/** Of TCP only those without an answer so far: every other ends by itself, and there may be a great many. */
function ofProtocol(protocol: Protocol): readonly string[] {
  return protocol === 'tcp' ? ['-p', 'tcp', '--state', 'SYN_SENT'] : ['-p', protocol]
}

/** Lines that are not connections with ports are passed over. */
export function flowsOf(listing: string): readonly Flow[] {
  return listing.split('\n').flatMap(line => flowOf(line) ?? [])
}

/**
 * Deletes these, in one process. A line names a destination and an answering address, and deletes all connections between
 * the two, because every line makes the kernel walk all connections there are (14 ms among 1,500). One that is gone already
 * is passed over. conntrack opens its input by name, which a socket refuses and our programs' inputs are sockets: so `cat`
 * makes a pipe of it. The script is always this one; nothing of a connection is part of it.
 */
export function forgetFlows(flows: readonly Flow[], family: Family): Command {
  const lines = new Set(flows.map(flow => `${forget(flow, family)}\n`))
  const argv = ['sh', '-c', 'cat | conntrack -R -'] as const
  return { does: 'conntrack', family, argv, program: 'conntrack', input: [...lines].join('') }
}

function forget({ protocol, to, toPort, answeredBy, answeredByPort }: Flow, family: Family): string {
  const asked = `--orig-dst ${to} --orig-port-dst ${toPort}`
  return `-D -f ${family} ${ofProtocol(protocol).join(' ')} ${asked} --reply-src ${answeredBy} --reply-port-src ${answeredByPort}`
}

/** Deletes the UDP connections that one port of this host answers. Its exit status says only whether there were any. */
export function forgetFlowsAt(port: number, family: Family): Command {
  const argv = ['conntrack', '-D', '-f', family, '-p', 'udp', '--reply-port-src', String(port)] as const
  return { does: 'conntrack', family, argv }
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
