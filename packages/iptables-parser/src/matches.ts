import { address, addressRange, hostOrNetwork } from './addresses.ts'
import { asWritten, type Form, form, otherwise, takes, takesQuoted, takesText, unless } from './form.ts'
import { icmpType, icmpv6Type } from './icmp.ts'
import { mark } from './marks.ts'
import { listOf, lowerCase, mac, protocol, protocolNumber, tcpFlags, upperCase } from './names.ts'
import { dashedRange, number, portRange, ports, probability, rangeTo } from './numbers.ts'
import { settleString, u32 } from './patterns.ts'
import { RARE_MATCHES } from './rare-matches.ts'
import { limitRate, settleHashlimit } from './rates.ts'
import { settleConnlimit, settleRecent, settleTcp } from './settle.ts'

// The matches that proxies, network plugins, Docker and firewalls write: their options, in the order they are printed.

const BOTH_PORTS = [takes('--sport --source-port', portRange), takes('--dport --destination-port', portRange)]
const ANY_PORTS = BOTH_PORTS.map(option => unless('0:65535', option))
const TYPES = listOf(
  'UNSPEC UNICAST LOCAL BROADCAST ANYCAST MULTICAST BLACKHOLE UNREACHABLE PROHIBIT THROW NAT XRESOLVE',
)

const COMMON: Readonly<Record<string, Form>> = {
  addrtype: form([
    takes('--src-type', TYPES),
    takes('--dst-type', TYPES),
    takes('--limit-iface-in'),
    takes('--limit-iface-out'),
  ]),
  comment: form([takesText('--comment')]),
  connbytes: form([
    takes('--connbytes', value => value.replace(/^:/, '0:').replace(/:$/, '')),
    takes('--connbytes-mode', asWritten),
    takes('--connbytes-dir', asWritten),
  ]),
  connlimit: form(
    [
      takes('--connlimit-upto', number),
      takes('--connlimit-above', number),
      otherwise({ ipv4: '32', ipv6: '128' }, takes('--connlimit-mask', number)),
      takes('--connlimit-saddr'),
      takes('--connlimit-daddr'),
    ],
    settleConnlimit,
  ),
  connmark: form([takes('--mark', mark)]),
  conntrack: form([
    takes('--ctstate', listOf('INVALID NEW RELATED ESTABLISHED UNTRACKED SNAT DNAT')),
    takes('--ctproto', protocolNumber),
    takes('--ctorigsrc', hostOrNetwork),
    takes('--ctorigdst', hostOrNetwork),
    takes('--ctreplsrc', hostOrNetwork),
    takes('--ctrepldst', hostOrNetwork),
    takes('--ctorigsrcport', portRange),
    takes('--ctorigdstport', portRange),
    takes('--ctreplsrcport', portRange),
    takes('--ctrepldstport', portRange),
    takes('--ctstatus', listOf('EXPECTED SEEN_REPLY ASSURED CONFIRMED NONE')),
    takes('--ctexpire', rangeTo(0xffffffff)),
    takes('--ctdir', upperCase),
  ]),
  hashlimit: form(
    [
      takes('--hashlimit-upto --hashlimit', lowerCase),
      takes('--hashlimit-above', lowerCase),
      takes('--hashlimit-burst', lowerCase),
      takes('--hashlimit-mode', listOf('srcip srcport dstip dstport')),
      takes('--hashlimit-name', asWritten),
      unless('0', takes('--hashlimit-htable-size', number)),
      unless('0', takes('--hashlimit-htable-max', number)),
      unless('1000', takes('--hashlimit-htable-gcinterval', number)),
      takes('--hashlimit-htable-expire', number),
      takes('--hashlimit-srcmask', number),
      takes('--hashlimit-dstmask', number),
      takes('--hashlimit-rate-match'),
      unless('1', takes('--hashlimit-rate-interval', number)),
    ],
    settleHashlimit,
  ),
  helper: form([takesText('--helper')]),
  icmp: form([takes('--icmp-type', icmpType)]),
  icmp6: form([takes('--icmpv6-type', icmpv6Type)]),
  iprange: form([takes('--src-range', addressRange), takes('--dst-range', addressRange)]),
  ipvs: form([
    takes('--ipvs'),
    takes('--vproto', protocolNumber),
    takes('--vaddr', hostOrNetwork),
    takes('--vport', number),
    takes('--vdir', upperCase),
    takes('--vmethod', upperCase),
    takes('--vportctl', number),
  ]),
  length: form([takes('--length', portRange)]),
  limit: form([takes('--limit', limitRate), unless('5', takes('--limit-burst', number))]),
  mac: form([takes('--mac-source', mac)]),
  mark: form([takes('--mark', mark)]),
  multiport: form([
    takes('--sports --source-ports', ports),
    takes('--dports --destination-ports', ports),
    takes('--ports', ports),
  ]),
  nfacct: form([takesText('--nfacct-name')]),
  owner: form([
    takes('--socket-exists'),
    takes('--uid-owner', dashedRange),
    takes('--gid-owner', dashedRange),
    takes('--suppl-groups'),
  ]),
  physdev: form([
    takes('--physdev-is-in'),
    takes('--physdev-in', asWritten),
    takes('--physdev-is-out'),
    takes('--physdev-out', asWritten),
    takes('--physdev-is-bridged'),
  ]),
  pkttype: form([takes('--pkt-type', lowerCase)]),
  policy: form([
    takes('--dir', asWritten),
    takes('--pol', asWritten),
    takes('--strict'),
    takes('--reqid', number),
    takes('--spi', asWritten),
    takes('--proto', protocol),
    takes('--mode', asWritten),
    takes('--tunnel-dst', hostOrNetwork),
    takes('--tunnel-src', hostOrNetwork),
    takes('--next'),
  ]),
  recent: form(
    [
      takes('--set'),
      takes('--rcheck'),
      takes('--update'),
      takes('--remove'),
      unless('0', takes('--seconds', number)),
      takes('--reap'),
      unless('0', takes('--hitcount', number)),
      takes('--rttl'),
      otherwise('DEFAULT', takes('--name', asWritten)),
      otherwise({ ipv4: '255.255.255.255', ipv6: 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' }, takes('--mask', address)),
      takes('--rsource'),
      takes('--rdest'),
    ],
    settleRecent,
  ),
  rpfilter: form([takes('--loose'), takes('--validmark'), takes('--accept-local'), takes('--invert')]),
  sctp: form([...BOTH_PORTS, takes('--chunk-types', asWritten, asWritten)]),
  set: form([
    takes('--match-set --set', asWritten, lowerCase),
    takes('--return-nomatch'),
    takes('--update-counters'),
    takes('--update-subcounters'),
    ...['packets', 'bytes'].flatMap(count => ['eq', 'lt', 'gt'].map(how => takes(`--${count}-${how}`, number))),
  ]),
  socket: form([takes('--transparent'), takes('--nowildcard'), takes('--restore-skmark')]),
  state: form([takes('--state', listOf('INVALID NEW RELATED ESTABLISHED UNTRACKED'))]),
  statistic: form([
    takes('--mode', lowerCase),
    takes('--probability', probability),
    takes('--every', number),
    takes('--packet', number),
  ]),
  string: form(
    [
      takesQuoted('--string'),
      takesQuoted('--hex-string'),
      takes('--algo', asWritten),
      unless('0', takes('--from', number)),
      unless('65535', takes('--to', number)),
      takes('--icase'),
    ],
    settleString,
  ),
  tcp: form(
    [...ANY_PORTS, takes('--tcp-option', number), takes('--tcp-flags', tcpFlags, tcpFlags), takes('--syn')],
    settleTcp,
  ),
  tcpmss: form([takes('--mss', portRange)]),
  u32: form([takesQuoted('--u32', u32)]),
  udp: form(ANY_PORTS),
}

export const MATCHES: ReadonlyMap<string, Form> = new Map(Object.entries({ ...COMMON, ...RARE_MATCHES }))

/** A match by the name under which it is printed. */
export function matchName(written: string): string {
  return written === 'icmpv6' || written === 'ipv6-icmp' ? 'icmp6' : written
}

const OF_PROTOCOL: ReadonlyMap<string, string> = new Map([
  ...['tcp', 'udp', 'sctp', 'dccp', 'icmp', 'esp', 'ah', 'ipcomp'].map(name => [name, name] as const),
  ['ipv6-icmp', 'icmp6'],
  ['mobility-header', 'mh'],
])

/** The match that comes with `-p`, as soon as one of its options is used. */
export function matchOfProtocol(written: string): string | undefined {
  return OF_PROTOCOL.get(protocol(written))
}
