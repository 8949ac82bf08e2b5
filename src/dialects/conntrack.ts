import type { Command, Flow } from '#system/ports.ts'
import { type Address, type Family, familyOf, parseAddress } from '#values/address.ts'
import type { Protocol } from '#values/protocol.ts'

// The connections the kernel tracks, as `conntrack -L` prints them, and the commands that delete some.

export function listFlows(family: Family, protocol: Protocol): Command {
  return { does: 'conntrack', family, argv: ['conntrack', '-L', '-f', family, ...ofProtocol(protocol)] }
}

/** Of TCP only those without an answer so far: every other ends by itself, and there may be a great many. */
function ofProtocol(protocol: Protocol): readonly string[] {
  return protocol === 'tcp' ? ['-p', 'tcp', '--state', 'SYN_SENT'] : ['-p', protocol]
}

export interface AskedFlows {
  readonly protocol: Protocol
  readonly from: Address
  readonly fromPort?: number
  readonly to?: Address
  readonly toPort?: number
}

/** Connections that this client has begun, in any state. */
export function listFlowsOf({ protocol, from, fromPort, to, toPort }: AskedFlows): Command {
  const family = familyOf(from)
  const words = { '--orig-src': from, '--orig-port-src': fromPort, '--orig-dst': to, '--orig-port-dst': toPort }
  const asked = Object.entries(words).flatMap(([word, value]) => (value === undefined ? [] : [word, String(value)]))
  return { does: 'conntrack', family, argv: ['conntrack', '-L', '-f', family, '-p', protocol, ...asked] }
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

/** Deletes the UDP connections that were opened to these ports, whatever answers them. */
export function forgetFlowsTo(ports: readonly number[], family: Family): Command {
  const lines = ports.map(port => `-D -f ${family} -p udp --orig-port-dst ${port}\n`)
  const argv = ['sh', '-c', 'cat | conntrack -R -'] as const
  return { does: 'conntrack', family, argv, program: 'conntrack', input: lines.join('') }
}

/** Deletes the connections that these addresses began or answer, also where a Service or masquerading stands between. */
export function forgetFlowsOf(addresses: readonly Address[], family: Family): Command {
  const lines = addresses.flatMap(ip => [`-D -f ${family} --orig-src ${ip}\n`, `-D -f ${family} --reply-src ${ip}\n`])
  const argv = ['sh', '-c', 'cat | conntrack -R -'] as const
  return { does: 'conntrack', family, argv, program: 'conntrack', input: lines.join('') }
}

const FLOW = /^(\w+)\s+\d+.*?\bsrc=\S+ dst=(\S+) sport=\d+ dport=(\d+)\b.*?\bsrc=(\S+) dst=\S+ sport=(\d+) dport=\d+\b/

function flowOf(line: string): Flow | undefined {
  const match = FLOW.exec(line)
  if (match === null) return undefined
  const [, protocol, dst, dport, replySrc, replySport] = match
  const to = parseAddress(dst)
  const answeredBy = parseAddress(replySrc)
  if (to === undefined || answeredBy === undefined) return undefined
  return {
    protocol: protocol as Protocol,
    to,
    toPort: Number(dport),
    answeredBy,
    answeredByPort: Number(replySport),
  }
}
