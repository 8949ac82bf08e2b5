import type { Around, Say } from './form.ts'

// Names of protocols, ICMP types, states and flags → the name or number, and the order, that iptables prints.

/** As iptables 1.8.9 prints them where /etc/protocols is there; newer ones print a number for the rarer half. */
const PROTOCOLS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    1: 'icmp',
    2: 'igmp',
    4: 'ipencap',
    6: 'tcp',
    17: 'udp',
    33: 'dccp',
    41: 'ipv6',
    46: 'rsvp',
    47: 'gre',
    50: 'esp',
    51: 'ah',
    58: 'ipv6-icmp',
    88: 'eigrp',
    89: 'ospf',
    94: 'ipip',
    103: 'pim',
    108: 'ipcomp',
    112: 'vrrp',
    115: 'l2tp',
    132: 'sctp',
    135: 'mobility-header',
    136: 'udplite',
    icmpv6: 'ipv6-icmp',
    'ipv6-mh': 'mobility-header',
    mh: 'mobility-header',
    0: 'all',
  }),
)

/** `6` → `tcp`, `ICMPv6` → `ipv6-icmp`. */
export function protocol(value: string): string {
  const name = value.toLowerCase()
  return PROTOCOLS.get(name) ?? name
}

const PROTOCOL_NUMBERS = new Map([...PROTOCOLS].filter(([key]) => /^\d+$/.test(key)).map(([key, name]) => [name, key]))

/** `tcp` → `6`, as conntrack and ipvs print. */
export function protocolNumber(value: string): string {
  return PROTOCOL_NUMBERS.get(protocol(value)) ?? value
}

/** A list in the order of `names`, in their case; names of its own stand behind. */
export function listOf(names: string): Say {
  const order = names.split(' ')
  const upper = order.map(name => name.toUpperCase())
  return value => {
    const given = value.split(',')
    const known = new Set(given.map(name => upper.indexOf(name.toUpperCase())))
    const others = given.filter(name => !upper.includes(name.toUpperCase()))
    return [...order.filter((_, i) => known.has(i)), ...others].join(',')
  }
}

const flagList = listOf('FIN SYN RST PSH ACK URG')

/** TCP flags: `ALL` stands for all six, `NONE` for none. */
export function tcpFlags(value: string, around: Around): string {
  const name = value.toUpperCase()
  if (name === 'NONE') return name
  return flagList(name === 'ALL' ? 'FIN,SYN,RST,PSH,ACK,URG' : value, around)
}

export function upperCase(value: string): string {
  return value.toUpperCase()
}

export function lowerCase(value: string): string {
  return value.toLowerCase()
}

/** `AA:B:0:…` → `aa:0b:00:…`. */
export function mac(value: string): string {
  return value
    .toLowerCase()
    .split(':')
    .map(byte => byte.padStart(2, '0'))
    .join(':')
}

/** `warning` → `4`. */
export function logLevel(value: string): string {
  const level = LOG_LEVELS.indexOf(ALSO_LEVEL[value] ?? value)
  return level < 0 ? value : String(level)
}

const LOG_LEVELS = ['emerg', 'alert', 'crit', 'error', 'warning', 'notice', 'info', 'debug']
const ALSO_LEVEL: Readonly<Record<string, string>> = { panic: 'emerg' }

/** Long names and short ones, in the order in which iptables looks them up by their start. */
const REJECTS = {
  ipv4: [
    'icmp-net-unreachable net-unreach',
    'icmp-host-unreachable host-unreach',
    'icmp-proto-unreachable proto-unreach',
    'icmp-port-unreachable port-unreach',
    'icmp-net-prohibited net-prohib',
    'icmp-host-prohibited host-prohib',
    'tcp-reset tcp-rst',
    'icmp-admin-prohibited admin-prohib',
  ],
  ipv6: [
    'icmp6-no-route no-route',
    'icmp6-adm-prohibited adm-prohibited',
    'icmp6-addr-unreachable addr-unreach',
    'icmp6-port-unreachable port-unreach',
    'tcp-reset tcp-reset',
    'icmp6-policy-fail policy-fail',
    'icmp6-reject-route reject-route',
  ],
}

/** `port-unreach` → `icmp-port-unreachable`. */
export function rejectType(value: string, { family }: Around): string {
  const start = value.toLowerCase()
  const found = REJECTS[family].find(names => names.split(' ').some(name => name.startsWith(start)))
  return found === undefined ? value : found.slice(0, found.indexOf(' '))
}
