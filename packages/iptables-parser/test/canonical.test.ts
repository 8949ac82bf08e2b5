import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonical, type Family, parseRule } from '../src/index.ts'
import { hostileText, quoted, ruleParts, writtenRule } from './arbitraries.ts'
import { printed, rulesIn, SAVES } from './fixtures.ts'

describe('what iptables-save printed is canonical as it stands', () => {
  test.each(SAVES)('%s', (_, text) => {
    const rules = rulesIn(text)
    expect(rules.length).toBeGreaterThan(5)
    expect(rules.map(rule => canonical(rule))).toEqual(rules.map(printed))
  })
})

describe('what kube-proxy writes becomes what the kernel prints', () => {
  test.each([
    [
      '-A KUBE-SERVICES -m comment --comment "default/kubernetes:https cluster IP" -m tcp -p tcp -d 10.96.0.1 --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y',
      '-A KUBE-SERVICES -d 10.96.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP" -m tcp --dport 443 -j KUBE-SVC-NPX46M4PTMTKRN6Y',
    ],
    [
      '-A KUBE-SEP-X -m comment --comment default/lb:http -m recent --name KUBE-SEP-X --set -m tcp -p tcp -j DNAT --to-destination 10.244.2.9:8080',
      '-A KUBE-SEP-X -p tcp -m comment --comment "default/lb:http" -m recent --set --name KUBE-SEP-X --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.244.2.9:8080',
    ],
    [
      '-A KUBE-SVC-X -m comment --comment "default/lb:http -> 10.244.1.2:8080" -m recent --name KUBE-SEP-Y --rcheck --seconds 10800 --reap -j KUBE-SEP-Y',
      '-A KUBE-SVC-X -m comment --comment "default/lb:http -> 10.244.1.2:8080" -m recent --rcheck --seconds 10800 --reap --name KUBE-SEP-Y --mask 255.255.255.255 --rsource -j KUBE-SEP-Y',
    ],
    [
      '-A KUBE-SVC-X -m statistic --mode random --probability 0.3333333333 -j KUBE-SEP-Y',
      '-A KUBE-SVC-X -m statistic --mode random --probability 0.33333333349 -j KUBE-SEP-Y',
    ],
    ['-A KUBE-MARK-MASQ -j MARK --or-mark 0x00004000', '-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000'],
    ['-A KUBE-POSTROUTING -j MARK --xor-mark 0x00004000', '-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0'],
    [
      '-A KUBE-POSTROUTING -m mark ! --mark 0x00004000/0x00004000 -j RETURN',
      '-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN',
    ],
    [
      '-A KUBE-FIREWALL -m comment --comment "block incoming localnet connections" -d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
      '-A KUBE-FIREWALL ! -s 127.0.0.0/8 -d 127.0.0.0/8 -m comment --comment "block incoming localnet connections" -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP',
    ],
    [
      '-A KUBE-EXTERNAL-SERVICES -m comment --comment "default/empty has no endpoints" -m addrtype --dst-type LOCAL -m tcp -p tcp --dport 30070 -j REJECT',
      '-A KUBE-EXTERNAL-SERVICES -p tcp -m comment --comment "default/empty has no endpoints" -m addrtype --dst-type LOCAL -m tcp --dport 30070 -j REJECT --reject-with icmp-port-unreachable',
    ],
    [
      '-A KUBE-FORWARD -m conntrack --ctstate INVALID -m nfacct --nfacct-name ct_state_invalid_dropped_pkts -j DROP',
      '-A KUBE-FORWARD -m conntrack --ctstate INVALID -m nfacct --nfacct-name ct_state_invalid_dropped_pkts -j DROP',
    ],
  ])('%s', (written, expected) => expect(canonical(written)).toBe(expected))

  test('and what it leaves out is filled in for the family', () => {
    expect(canonical('-A X -j REJECT', 'ipv6')).toBe('-A X -j REJECT --reject-with icmp6-port-unreachable')
    expect(canonical('-A X -m recent --set', 'ipv6')).toBe(
      '-A X -m recent --set --name DEFAULT --mask ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff --rsource',
    )
    expect(canonical('-A X -p tcp -j TPROXY --on-port 5', 'ipv6')).toBe(
      '-A X -p tcp -j TPROXY --on-port 5 --on-ip :: --tproxy-mark 0x0/0x0',
    )
  })
})

describe('one spelling', () => {
  test.each([
    ['-s 10.1.2.3', '-s 10.1.2.3/32'],
    ['-s 10.1.2.3/255.255.0.0', '-s 10.1.0.0/16'],
    ['-s 10.1/16', '-s 10.1.0.0/16'],
    ['-s 10.1.2.3/0.0.0.255', '-s 0.0.0.3/0.0.0.255'],
    ['-s 0.0.0.0/0', ''],
    ['! -s 0.0.0.0/0', '! -s 0.0.0.0/0'],
    ['-d FD00:0:0::1', '-d fd00::1/128'],
    ['-d fd00::5/ffff:ffff::', '-d fd00::/32'],
    ['-d ::ffff:10.0.0.1', '-d ::ffff:10.0.0.1/128'],
    ['-d fe80:0:1:0:1:0:1:0', '-d fe80:0:1:0:1:0:1:0/128'],
    ['-s 10.0.0.1,10.1.2.3/8', '-s 10.0.0.1/32,10.0.0.0/8'],
    ['-s node.example', '-s node.example'],
    ['-s 10.0.0.300', '-s 10.0.0.300'],
    ['-o eth0 -i +', '-o eth0'],
    ['-f -p icmp', '-p icmp -f'],
    ['-p 6 --syn', '-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN'],
    ['-p all', ''],
    ['-p icmpv6 --icmpv6-type echo-request', '-p ipv6-icmp -m icmp6 --icmpv6-type 128'],
    ['-p tcp --dport 80:80 --sport :1024', '-p tcp -m tcp --sport 0:1024 --dport 80'],
    ['-p tcp -m tcp --dport 0:65535', '-p tcp -m tcp'],
    ['-p tcp -m tcp ! --dport 0:65535', '-p tcp -m tcp ! --dport 0:65535'],
    ['-p tcp --dport=https', '-p tcp -m tcp --dport https'],
    ['-p tcp -j ACCEPT', '-p tcp -j ACCEPT'],
    ['-m mark --mark 16/0xFFFFFFFF', '-m mark --mark 0x10'],
    ['-m conntrack --ctstate established,RELATED', '-m conntrack --ctstate RELATED,ESTABLISHED'],
    ['-m state --state ESTABLISHED,NEW', '-m state --state NEW,ESTABLISHED'],
    ['-m limit --limit 60/min', '-m limit --limit 1/sec'],
    [
      '-m hashlimit --hashlimit 120/min --hashlimit-name a',
      '-m hashlimit --hashlimit-upto 2/sec --hashlimit-burst 5 --hashlimit-name a --hashlimit-htable-expire 60000',
    ],
    [
      '-m statistic --mode random --probability 0.000244140625',
      '-m statistic --mode random --probability 0.00024414062',
    ],
    ['-m comment --comment "plain"', '-m comment --comment plain'],
    ["-m comment --comment it's", '-m comment --comment "it\\\'s"'],
    ['-m comment --comment ""', '-m comment --comment ""'],
    ['-m string --algo bm --hex-string "|41 42|"', '-m string --string "AB" --algo bm'],
    ['-m geoip --src-cc "DE",  ! --up 3', '-m geoip --src-cc DE , ! --up 3'],
    ['-j MARK --set-mark 0x10/0x20', '-j MARK --set-xmark 0x10/0x30'],
    ['-j MARK --and-mark 0xffff', '-j MARK --set-xmark 0x0/0xffff0000'],
    ['-j LOG --log-level debug --log-prefix "[UFW] "', '-j LOG --log-prefix "[UFW] " --log-level 7'],
    ['-p tcp -j DNAT --to [fd00:0::1]:80-80', '-p tcp -j DNAT --to-destination [fd00::1]:80'],
    ['-j KUBE-X -p tcp --dport 80', '-p tcp -m tcp --dport 80 -j KUBE-X'],
    ['-c 5 7 -j ACCEPT', '-j ACCEPT'],
  ])('%s', (written, expected) => {
    expect(canonical(`-A X ${written}`)).toBe(expected === '' ? '-A X' : `-A X ${expected}`)
  })

  test('counters in front do not count', () => expect(canonical('[12:345] -A X -j ACCEPT')).toBe('-A X -j ACCEPT'))

  test('matches keep their order, because some of them remember or throw dice', () => {
    const rule = (a: string, b: string) => canonical(`-A X -m ${a} -m ${b}`)
    expect(rule('statistic --mode nth --every 2 --packet 0', 'state --state NEW')).not.toBe(
      rule('state --state NEW', 'statistic --mode nth --every 2 --packet 0'),
    )
  })
})

describe.each<Family>(['ipv4', 'ipv6'])('for any rule of %s', family => {
  const rules = writtenRule(family).map(words => `-A MINE ${words}`)

  test('the canonical form is its own canonical form', () => {
    fc.assert(
      fc.property(rules, rule => {
        const text = canonical(rule, family)
        expect(canonical(text, family)).toBe(text)
      }),
      { numRuns: 1000 },
    )
  })

  test('chain, target and the names and order of matches stay', () => {
    fc.assert(
      fc.property(rules, rule => {
        const before = parseRule(rule)
        const after = parseRule(canonical(rule, family))
        expect(after.chain).toBe('MINE')
        expect(after.target?.name).toBe(before.target?.name)
        expect(after.target?.by).toBe(before.target?.by)
        expect(after.matches.map(match => match.name)).toEqual(before.matches.map(match => match.name))
      }),
    )
  })
})

test('a rule full of foreign matches is its own canonical form, too', () => {
  fc.assert(
    fc.property(ruleParts, parts => {
      const text = canonical(parts)
      expect(canonical(text)).toBe(text)
    }),
  )
})

test('a hostile comment survives', () => {
  fc.assert(
    fc.property(hostileText, text => {
      const rule = canonical(`-A X -m comment --comment ${quoted(text)} -j DROP`)
      const [match] = parseRule(rule).matches
      expect(match?.options.get('--comment')?.values).toEqual([text])
      expect(parseRule(rule).target?.name).toBe('DROP')
    }),
  )
})
