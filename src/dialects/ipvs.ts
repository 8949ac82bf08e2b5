import type { Command } from '#system/ports.ts'
import { type Address, hostPort, parseAddress } from '#values/address.ts'
import { PROTOCOLS, type Protocol } from '#values/protocol.ts'
import { inputOf, PATIENCE_MS } from './lines.ts'

// The words of ipvsadm: the lines `ipvsadm -R` takes, spelled and ordered exactly as `ipvsadm -Sn` prints them back.

/** Loads IPVS into the kernel. */
export const SAVE_SERVERS: Command = { does: 'other', argv: ['ipvsadm', '-Sn'] }
/** Ends with 0 only where the kernel has IPVS loaded. Asking ipvsadm instead would load it. */
export const IS_IPVS_LOADED: Command = { does: 'other', argv: ['cat', '/proc/net/ip_vs_stats'] }

/** Goes on after a line it could not carry out, and may still end with 0: what it says on stderr is the only sign. */
export function restoreServers(lines: readonly string[]): Command {
  const input = inputOf(lines)
  return { does: 'write', argv: ['ipvsadm', '-R'], input, timeoutMs: PATIENCE_MS, stderr: 'means-failure' }
}

/** One such line alone, whose exit status then says whether it was carried out. */
export function changeServer(line: string): Command {
  return { does: 'write', argv: ['ipvsadm', ...line.split(' ')] }
}

/** In whole seconds; 0 leaves a timeout as it is. */
export function setIpvsTimeouts(seconds: Readonly<Record<'tcp' | 'tcpFin' | 'udp', number>>): Command {
  return { does: 'write', argv: ['ipvsadm', '--set', `${seconds.tcp}`, `${seconds.tcpFin}`, `${seconds.udp}`] }
}

/** Where a virtual server listens: `tcp`, `10.96.0.10:80`. IPVS knows a server by nothing else. */
export interface VirtualServerAddress {
  readonly protocol: Protocol
  readonly at: string
}

const FLAG: Readonly<Record<Protocol, string>> = { tcp: '-t', udp: '-u', sctp: '--sctp-service' }

/** `-A -t 10.96.0.10:80 -s rr`; `verb` as ipvsadm has it: A adds, E edits. */
export function serverLine(verb: 'A' | 'E', { protocol, at }: VirtualServerAddress, options: string): string {
  return `-${verb} ${FLAG[protocol]} ${at} ${options}`
}

export function deleteServer({ protocol, at }: VirtualServerAddress): string {
  return `-D ${FLAG[protocol]} ${at}`
}

/** `-a -t 10.96.0.10:80 -r 10.1.0.4:8080 -m -w 1` */
export function realLine(
  verb: 'a' | 'e',
  { protocol, at }: VirtualServerAddress,
  real: string,
  options: string,
): string {
  return `-${verb} ${FLAG[protocol]} ${at} -r ${real} ${options}`
}

export function deleteReal({ protocol, at }: VirtualServerAddress, real: string): string {
  return `-d ${FLAG[protocol]} ${at} -r ${real}`
}

/** One that takes new connections; ours all have the same weight, as kube-proxy's. */
export const WORKING = '-m -w 1'
/** One that keeps its connections and takes no more. */
export const QUIET = '-m -w 0'

export interface ServerOptions {
  readonly scheduler: string
  readonly stickySeconds?: number
}

/** `-s mh -p 10800 -b mh-port`: the Maglev scheduler looks at the client's port too, or one busy client would be one lump. */
export function serverOptions({ scheduler, stickySeconds }: ServerOptions): string {
  const sticky = stickySeconds === undefined ? '' : ` -p ${stickySeconds}`
  return `-s ${scheduler}${sticky}${scheduler === 'mh' ? ' -b mh-port' : ''}`
}

/** How long a client is remembered, in seconds; undefined where it is not. */
export function stickySecondsOf(options: string): number | undefined {
  const seconds = /(?:^| )-p (\d+)/.exec(options)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}

export type SavedLine =
  | { readonly what: 'server'; readonly server: VirtualServerAddress; readonly options: string }
  | { readonly what: 'real'; readonly server: VirtualServerAddress; readonly real: string; readonly options: string }

const PROTOCOL_OF = new Map(PROTOCOLS.map(protocol => [FLAG[protocol], protocol]))
const SERVER = /^-A (\S+) (\S+) ?(.*)$/
const REAL = /^-a (\S+) (\S+) -r (\S+) ?(.*)$/

/** Virtual servers of other kinds, by firewall mark, are passed over: they are never ours. */
export function savedServers(listing: string): readonly SavedLine[] {
  return listing.split('\n').flatMap((line): readonly SavedLine[] => {
    const declared = SERVER.exec(line)
    const [, flag = '', at = '', ...rest] = declared ?? REAL.exec(line) ?? []
    const protocol = PROTOCOL_OF.get(flag)
    if (protocol === undefined) return []
    const server = { protocol, at: canonicalHostPort(at) }
    if (declared !== null) return [{ what: 'server', server, options: rest[0]!.trim() }]
    return [{ what: 'real', server, real: canonicalHostPort(rest[0]!), options: rest[1]!.trim() }]
  })
}

/** `[fd10::0:10]:80` → `[fd10::10]:80`, as all of this code spells it. */
export function canonicalHostPort(at: string): string {
  const { ip, port } = splitHostPort(at)
  return ip === undefined ? at : hostPort(ip, port)
}

/** `[fd10::1]:80` → its address and port. */
export function splitHostPort(at: string): { readonly ip: Address | undefined; readonly port: number } {
  const colon = at.lastIndexOf(':')
  return { ip: parseAddress(at.slice(0, colon).replace(/^\[(.*)\]$/, '$1')), port: Number(at.slice(colon + 1)) }
}
