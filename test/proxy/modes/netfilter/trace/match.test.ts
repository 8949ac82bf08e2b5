import { describe, expect, test } from 'vitest'
import type { Packet } from '#proxy/modes/trace.ts'
import { A, FROM_NODE, fate, nat, paths, TO_A, UNTOUCHED } from './rules.ts'

// Which packets a rule matches.

describe('matches', () => {
  const toA = (match: string, packet?: Packet): boolean =>
    '10.244.1.5:8080' in fate(nat({ START: [`${match} -j TO-A`.trim()], 'TO-A': [A] }), packet)

  test.for([
    ['-s 10.244.0.0/16', true],
    ['! -s 10.244.0.0/16', false],
    ['-s 10.244.1.7', true],
    ['-d 10.96.0.10/32', true],
    ['! -d 10.96.0.10/32', false],
    ['-i cni0', true],
    ['-i cni+', true],
    ['-i eth+', false],
    ['! -i eth+', true],
    ['-i cni', false],
    ['-p tcp', true],
    ['-p udp', false],
    ['! -p udp', true],
    ['-p tcp -m tcp --dport 80', true],
    ['-p tcp -m tcp --dport 81', false],
    ['-p tcp -m tcp ! --dport 81', true],
    ['-p tcp -m tcp --dport 79:81', true],
    ['-m addrtype --dst-type LOCAL', false],
    ['-m addrtype ! --dst-type LOCAL', true],
    ['-m addrtype --src-type LOCAL', false],
    ['-m conntrack --ctstate NEW', true],
    ['-m conntrack --ctstate RELATED,ESTABLISHED', false],
    ['-m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT', true],
    ['-m mark --mark 0x4000/0x4000', false],
    ['-m mark ! --mark 0x4000/0x4000', true],
    ['-m comment --comment "says nothing"', true],
  ] as const)('%s: %s', ([match, holds]) => expect(toA(match)).toBe(holds))

  test('what the node sends comes in through no interface', () => {
    expect(toA('-i cni0', FROM_NODE)).toBe(false)
    expect(toA('! -i cni0', FROM_NODE)).toBe(true)
    expect(toA('-m addrtype --src-type LOCAL', FROM_NODE)).toBe(true)
  })

  test('a mark is what earlier rules made of it, bit by bit', () => {
    const marked = (...marks: readonly string[]) =>
      fate(
        nat({
          START: [...marks.map(mark => `-j MARK --set-xmark ${mark}`), '-m mark --mark 0x4000/0x4000 -j TO-A'],
          'TO-A': [A],
        }),
      )
    expect(marked('0x4000/0x4000')).toEqual(TO_A)
    expect(marked('0x4000/0x4000', '0x4000/0x0')).toEqual(UNTOUCHED)
    expect(marked('0x4000/0x4000', '0x80000000/0x80000000')).toEqual(TO_A)
    expect(marked('0x4000/0x4000', '0x1/0xffffffff')).toEqual(UNTOUCHED)
  })
})

describe('a match that is not known is an error, never skipped', () => {
  test.for([
    ['-m time --timestart 08:00', 'match "time"'],
    ['-m recent --update --name X --rsource', 'option "--update"'],
    ['-m addrtype --dst-type BROADCAST', 'type BROADCAST'],
    ['-m statistic --mode nth --every 2 --packet 0', 'option "--every"'],
    ['-o eth0', 'outgoing interface'],
    ['-p tcp -m tcp --sport 80', 'option "--sport"'],
    ['-s 10.0.0.0-10.0.0.9', '"10.0.0.0-10.0.0.9"'],
  ] as const)('%s', ([rule, why]) => expect(() => paths(nat({ START: [rule] }))).toThrow(why))
})
