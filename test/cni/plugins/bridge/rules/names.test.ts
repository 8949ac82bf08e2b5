import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import * as names from '#cni/plugins/bridge/rules/names.ts'

const HOLDER = { network: 'mynet', container: 'c1', ifname: 'eth0' }

describe('names of rules', () => {
  test('the reference’s are known', () => {
    expect(names.referenceChain(HOLDER)).toBe(`CNI-${hash('sha512', 'mynetc1').slice(0, 24)}`)
    expect(names.interfaceTag(HOLDER)).toBe(
      `${hash('sha512', 'mynet').slice(0, 16)}-${hash('sha512', 'eth0:c1').slice(0, 16)}`,
    )
    expect(names.spoofId(HOLDER)).toBe('c1-eth0')
  })

  test('two interfaces of a container have two chains, and that of the first is the reference’s', () => {
    const second = names.ownChain({ ...HOLDER, ifname: 'net1' })
    expect(names.ownChain(HOLDER)).toBe(names.referenceChain(HOLDER))
    expect(second).toMatch(/^CNI-[0-9a-f]{24}$/)
    expect(second).not.toBe(names.referenceChain(HOLDER))
    expect(names.iptablesComment({ ...HOLDER, ifname: 'net1' })).toMatch(/ if: .*net1/)
  })

  test('a comment is cut where the tool would refuse it, behind what says whose it is', () => {
    const long = { ...HOLDER, network: 'n'.repeat(90), container: 'c'.repeat(64), ifname: 'a-very-long-one' }
    expect(names.interfaceComment(long)).toHaveLength(127)
    expect(names.interfaceComment(long)).toContain(names.interfaceTag(long))
    expect(names.iptablesComment(long).replaceAll('\\', '').length).toBeLessThanOrEqual(255)
  })

  test('a comment of iptables is whole wherever it is cut: no escape is left open', () => {
    for (let length = 1; length < 300; length++) {
      const comment = names.iptablesComment({ ...HOLDER, network: 'n'.repeat(length), ifname: 'net1' })
      expect([length, comment.replaceAll('\\"', '').includes('\\')]).toEqual([length, false])
      expect(comment.replaceAll('\\', '').length).toBeLessThanOrEqual(255)
    }
  })
})
