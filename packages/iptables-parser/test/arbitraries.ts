import fc from 'fast-check'
import { type Family, type Match, type Option, Options, type RuleParts } from '../src/index.ts'

// Rules for property tests: words as people write them, all of which the real tools take, and typed parts.

/** Whatever can stand in a comment: quotes, backslashes, blanks, other alphabets, but neither line ends nor NUL. */
export const hostileText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '"',
        '\\',
        "'",
        ' ',
        '\t',
        '-',
        '--',
        '!',
        '#',
        '`',
        '$',
        '\\"',
        "\\'",
        '-j DROP',
        'ä',
        '名',
        '🚦',
      ),
      fc.stringMatching(/^[ -~]{1,6}$/),
    ),
    { maxLength: 12 },
  )
  .map(pieces => pieces.join(''))

export function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`
}

const byFamily = (family: Family, ipv4: readonly string[], ipv6: readonly string[]) =>
  fc.constantFrom(...(family === 'ipv4' ? ipv4 : ipv6))

const host = (family: Family) =>
  family === 'ipv4' ? fc.ipV4() : fc.ipV6().filter(text => !text.includes('.') || /^[^.]*:[\d.]+$/.test(text))

const network = (family: Family) =>
  fc.oneof(
    host(family),
    fc.tuple(host(family), fc.integer({ min: 1, max: family === 'ipv4' ? 32 : 128 })).map(parts => parts.join('/')),
    byFamily(family, ['10.1.2.3/255.255.0.0', '10.1/16', '10/8'], ['fd00:1::5/ffff:ffff::', 'FD00:0:0::1']),
  )

const negatable = (words: fc.Arbitrary<string>) =>
  fc.tuple(fc.boolean(), words).map(([negated, text]) => (negated ? `! ${text}` : text))

const mark = fc
  .tuple(fc.nat(0xffff), fc.constantFrom('', '/0xff00', '/0x0000FFFF', '/255', '/0xffffffff'), fc.boolean())
  .map(([value, mask, hex]) => `${hex ? `0x${value.toString(16).padStart(8, '0')}` : value}${mask}`)

const portRange = fc
  .tuple(fc.integer({ min: 1, max: 65534 }), fc.constantFrom('', ':', 'same', ':65535'))
  .map(([port, end]) => (end === 'same' ? `${port}:${port}` : `${port}${end}`))

const protocols = fc.oneof(
  fc
    .tuple(fc.constantFrom('tcp', 'udp'), fc.boolean(), negatable(portRange.map(range => `--dport ${range}`)))
    .map(([protocol, explicit, port]) =>
      explicit ? `-m ${protocol} -p ${protocol} ${port}` : `-p ${protocol} ${port}`,
    ),
  fc.tuple(portRange, portRange).map(([from, to]) => `-p 17 --destination-port ${to} --sport ${from}`),
  fc.constantFrom(
    '-p tcp',
    '-p tcp -m tcp',
    '-p UDP -m udp',
    '-p 132 -m sctp --sport 5:',
    '! -p tcp',
    '-p tcp --syn',
    '-p tcp ! --syn',
    '-p tcp -m tcp --tcp-flags ACK,SYN,FIN ALL',
    '-p tcp -m multiport --dports 443,80:90',
    '-p tcp -m multiport ! --source-ports 22',
    '-p esp -m esp --espspi 5:',
  ),
)

/** Written as people and programs write them: out of order, in other units, with what is clear left out. */
const matches = (family: Family): fc.Arbitrary<string> =>
  fc.oneof(
    hostileText.map(text => `-m comment --comment ${quoted([...text].slice(0, 60).join(''))}`),
    negatable(mark.map(value => `--mark ${value}`)).map(option => `-m mark ${option}`),
    fc
      .subarray(['NEW', 'related', 'ESTABLISHED', 'INVALID', 'UNTRACKED', 'DNAT', 'SNAT'], { minLength: 1 })
      .chain(states => fc.shuffledSubarray(states, { minLength: states.length }))
      .map(states => `-m conntrack --ctstate ${states.join(',')}`),
    fc.shuffledSubarray(['--src-type LOCAL', '! --dst-type MULTICAST,LOCAL'], { minLength: 1 }).map(on('addrtype')),
    fc
      .double({ min: 0, max: 1, noNaN: true })
      .map(odds => `-m statistic --probability ${odds.toFixed(10)} --mode random`),
    // Slower than 100 a day, the kernel's arithmetic overflows and it refuses.
    fc
      .tuple(fc.integer({ min: 100, max: 9999 }), fc.constantFrom('', '/s', '/min', '/hour', '/day'))
      .map(([count, unit]) => `-m limit --limit-burst 5 --limit ${count}${unit}`),
    fc
      .shuffledSubarray(['--name KUBE-SEP-X', '--seconds 10800', '--reap', '--rcheck'], { minLength: 4 })
      .map(on('recent')),
    fc.shuffledSubarray(['! --physdev-is-in', '--physdev-is-bridged'], { minLength: 1 }).map(on('physdev')),
    fc.tuple(host(family), host(family)).map(ends => `-m iprange --src-range ${inOrder(ends).join('-')}`),
    fc.constantFrom(
      '-m recent --set',
      '-m state --state ESTABLISHED,NEW',
      '-m hashlimit --hashlimit-mode dstport,srcip --hashlimit 120/min --hashlimit-name a',
      '-m connlimit --connlimit-above 5',
      '-m socket --nowildcard --transparent',
      '-m length --length 10:',
      '-m owner ! --uid-owner 5-5',
      '-m pkttype --pkt-type MULTICAST',
      '-m string --algo bm --hex-string "|41 42|c"',
      '-m time --timestop 17:00 --weekdays Fri,1',
      '-m statistic --mode nth --packet 1 --every 3',
    ),
  )

const on = (name: string) => (options: readonly string[]) => `-m ${name} ${options.join(' ')}`

/** The tools refuse a range whose end lies before its start. */
function inOrder([a, b]: readonly [string, string]): readonly string[] {
  return a === b || !a.includes('.') || a.includes(':') ? [a, a] : number(a) <= number(b) ? [a, b] : [b, a]
}

function number(ip: string): number {
  return ip.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0)
}

const targets = (family: Family): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constantFrom('-j ACCEPT', '--jump RETURN', '-j OTHER', '-g OTHER', '', '-j REJECT', '-j MARK --or-mark 0x4000'),
    mark.map(value => `-j MARK --set-mark ${value}`),
    fc.nat(0xffff).map(value => `-j MARK --and-mark ${value}`),
    hostileText
      .filter(text => text !== '')
      .map(text => `-j LOG --log-level debug --log-prefix ${quoted(ascii(text).slice(0, 20))}`),
    byFamily(family, ['-j REJECT --reject-with host-prohib'], ['-j REJECT --reject-with adm-prohibited']),
    fc.constantFrom('-j NFLOG --nflog-group 0', '-j NFQUEUE --queue-bypass --queue-num 3'),
  )

/** The kernel cuts a prefix by bytes. */
function ascii(text: string): string {
  return text.replace(/[^ -~]/g, '?')
}

/** The words behind `-A CHAIN`, in a random order; what must stand before something else does. */
export function writtenRule(family: Family): fc.Arbitrary<string> {
  const selectors = fc.tuple(
    fc.option(negatable(network(family).map(value => `-s ${value}`)), { nil: '' }),
    fc.option(negatable(network(family).map(value => `--destination ${value}`)), { nil: '' }),
    fc.constantFrom('', '-i eth0', '! -i cali+', '-i +'),
    fc.constantFrom('', '-o lo', '! --out-interface br-0'),
    fc.option(protocols, { nil: '' }),
  )
  return fc
    .tuple(selectors, fc.array(matches(family), { maxLength: 4 }))
    .chain(([given, list]) => fc.shuffledSubarray([...given, ...list], { minLength: given.length + list.length }))
    .chain(words => targets(family).map(target => [...words, target].filter(word => word !== '').join(' ')))
}

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,20}$/)

const option = (values: fc.Arbitrary<readonly string[]>): fc.Arbitrary<Option> =>
  fc.record({ name: name.map(text => `--zz-${text}`), values, negated: fc.boolean() })

const foreignOptions = fc
  .array(option(fc.array(hostileText, { maxLength: 3 })), { maxLength: 3 })
  .map(list => new Options(list))

const match: fc.Arbitrary<Match> = fc.oneof(
  fc.record({ name: name.map(text => `zz${text}`), options: foreignOptions }),
  hostileText.map(text => ({
    name: 'comment',
    options: new Options([{ name: '--comment', values: [text], negated: false }]),
  })),
  fc.record({ values: fc.tuple(name, fc.constantFrom('src', 'dst,dst')), negated: fc.boolean() }).map(given => ({
    name: 'set',
    options: new Options([{ name: '--match-set', ...given }]),
  })),
)

const given = (value: fc.Arbitrary<string>) =>
  fc.option(fc.record({ value, negated: fc.boolean() }), { nil: undefined })

/** Parts no person would write, as long as they can be said. */
export const ruleParts: fc.Arbitrary<RuleParts> = fc.record({
  chain: name,
  counters: fc.option(fc.record({ packets: fc.bigInt(0n, 2n ** 64n - 1n), bytes: fc.bigInt(0n, 2n ** 64n - 1n) }), {
    nil: undefined,
  }),
  source: given(network('ipv4')),
  destination: given(network('ipv6')),
  inInterface: given(name),
  outInterface: given(hostileText),
  protocol: given(name),
  fragment: given(fc.constant('')),
  matches: fc.array(match, { maxLength: 4 }),
  target: fc.option(
    fc.record({
      name: name.map(text => `ZZ${text}`),
      by: fc.constantFrom('jump' as const, 'goto' as const),
      options: foreignOptions,
    }),
    { nil: undefined },
  ),
})
