import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseRule, type RuleParts, ruleText } from '../src/index.ts'
import { ruleParts } from './arbitraries.ts'

describe('the typed parts of a rule', () => {
  const rule = parseRule(
    '[7:420] -A KUBE-SVC-X ! -s 10.244.0.0/16 -d 10.96.0.1/32 ! -i cni+ -o eth0 -p tcp -m comment --comment "a b" -m recent --rcheck --seconds 10800 --reap --name Y --rsource -m tcp ! --dport 80 --tcp-flags SYN,ACK SYN -g KUBE-SEP-Y',
  )

  test('where a packet comes from and goes to', () => {
    expect(rule.chain).toBe('KUBE-SVC-X')
    expect(rule.source).toEqual({ value: '10.244.0.0/16', negated: true })
    expect(rule.destination).toEqual({ value: '10.96.0.1/32', negated: false })
    expect(rule.inInterface).toEqual({ value: 'cni+', negated: true })
    expect(rule.outInterface).toEqual({ value: 'eth0', negated: false })
    expect(rule.protocol).toEqual({ value: 'tcp', negated: false })
    expect(rule.fragment).toBeUndefined()
    expect(rule.counters).toEqual({ packets: 7n, bytes: 420n })
  })

  test('its matches, in order, with their options', () => {
    expect(rule.matches.map(({ name }) => name)).toEqual(['comment', 'recent', 'tcp'])
    const [comment, recent, tcp] = rule.matches
    expect(comment?.options.get('--comment')?.values).toEqual(['a b'])
    expect([...recent!.options].map(({ name }) => name)).toEqual([
      '--rcheck',
      '--seconds',
      '--reap',
      '--name',
      '--rsource',
    ])
    expect(recent?.options.get('--name')).toEqual({ name: '--name', values: ['Y'], negated: false })
    expect(recent?.options.has('--rdest')).toBe(false)
    expect(tcp?.options.get('--dport')).toEqual({ name: '--dport', values: ['80'], negated: true })
    expect(tcp?.options.get('--tcp-flags')?.values).toEqual(['SYN,ACK', 'SYN'])
  })

  test('its target', () => {
    expect(rule.target).toMatchObject({ name: 'KUBE-SEP-Y', by: 'goto' })
    expect(parseRule('-A X -j LOG --log-prefix "a b"').target?.options.get('--log-prefix')?.values).toEqual(['a b'])
    expect(parseRule('-A X').target).toBeUndefined()
  })

  test('its text stays as it was written', () => {
    expect(parseRule('[1:2]  -A X   -m nfacct --nfacct-name  y ').text).toBe('-A X   -m nfacct --nfacct-name  y')
  })
})

describe('whose an option is', () => {
  const owners = (text: string) =>
    parseRule(`-A X ${text}`).matches.map(({ name, options }) => `${name}:${[...options].map(o => o.name).join()}`)

  test.each([
    ['-m tcp -m comment --comment x -p tcp --dport 80', ['tcp:--dport', 'comment:--comment']],
    ['-p tcp -m comment --comment x --dport 80 --sport 1', ['comment:--comment', 'tcp:--dport,--sport']],
    ['-p icmp --icmp-type 8', ['icmp:--icmp-type']],
    ['-m comment --comment a -m comment --comment b', ['comment:--comment', 'comment:--comment']],
    ['-m tcp -m foreign --dport 80 --other', ['tcp:', 'foreign:--dport,--other']],
    ['-m tcp -j MINE --dport 80', ['tcp:--dport']],
    ['-m tcp --destination-port 80', ['tcp:--dport']],
    ['-m conntrack --ctnewer 1 2', ['conntrack:--ctnewer']],
  ])('%s', (text, expected) => expect(owners(text)).toEqual(expected))
})

describe('a rule that makes no sense says where', () => {
  test.each([
    ['-A X -j', 6, '-j needs a value'],
    ['-A X --dport 80', 6, '--dport belongs to no match or target of this rule'],
    ['-A X -p tcp --dport', 13, '--dport needs a value'],
    ['-A X -m tcp --tcp-flags SYN', 13, '--tcp-flags needs 2 values'],
    ['-A X -m recent --set=1', 16, '--set takes no value'],
    ['-A X stray', 6, '"stray" follows no option'],
    ['-A X "-j" Y', 6, '"-j" follows no option'],
    ['-A X ! ! -s 1.2.3.4', 8, 'a second "!" in a row'],
    ['-A X -s 1.2.3.4 !', 17, '"!" negates nothing: an option must follow'],
    ['-A X ! -j Y', 6, '-j cannot be negated'],
    ['-A X -j Y -g Z', 11, 'a rule has one target, this is the second'],
    ['-A X -s 1.2.3.4 -s 1.2.3.5', 17, '-s stands here a second time'],
    ['-A X -c 5 many -j Y', 6, '"[5:many]" are no counters: they look like [packets:bytes]'],
    ['[1:2] -A X stray', 12, '"stray" follows no option'],
    ['-I X -j Y', 1, 'a rule starts with -A and the name of its chain'],
    ['[1:2]', 1, 'counters look like [packets:bytes], with a rule behind them'],
    ['', 1, 'a rule starts with -A and the name of its chain'],
  ])('%s', (line, column, problem) => {
    expect(() => parseRule(line)).toThrow(expect.objectContaining({ line: 1, column, problem }))
  })
})

test('parts that are written read back as the same parts', () => {
  fc.assert(
    fc.property(ruleParts, parts => {
      expect(plain(parseRule(ruleText(parts)))).toEqual(plain(parts))
    }),
    { numRuns: 500 },
  )
})

function plain(parts: RuleParts) {
  const { chain, counters, source, destination, inInterface, outInterface, protocol, fragment, matches, target } = parts
  return {
    ...{ chain, counters, source, destination, inInterface, outInterface, protocol, fragment },
    matches: matches.map(({ name, options }) => ({ name, options: [...options] })),
    target: target && { name: target.name, by: target.by, options: [...target.options] },
  }
}
