import { describe, expect, test } from 'vitest'
import { applyLines, checkLines, listTable } from '#dialects/nft.ts'
import { alarm } from '#proxy/modes/nftables/alarm.ts'

const { concerns, author, isUs, isChange } = alarm('ipv4')

describe('the alarm', () => {
  test.each([
    'delete table ip kube-proxy',
    'add rule ip kube-proxy services drop',
    'delete element ip kube-proxy service-ips { 10.96.0.10 . tcp . 80 : goto lb-tcp-1 }',
    'add set ip kube-proxy mine { type ipv4_addr; }',
  ])('is rung by: %s', line => expect(concerns(line)).toBe(true))

  test.each([
    'delete table ip6 kube-proxy',
    'add rule ip kube-proxy-trial services drop',
    'add rule ip filter INPUT counter comment "ip kube-proxy"',
    '# new generation 78 by process 7259 (nft)',
  ])('is not rung by: %s', line => expect(concerns(line)).toBe(false))

  test('knows which of our commands change anything', () => {
    expect(isChange(applyLines([], 'ipv4'))).toBe(true)
    expect(isChange(checkLines([], 'ipv4'))).toBe(false)
    expect(isChange(listTable('ipv4', 'kube-proxy'))).toBe(false)
  })

  test('knows who made a change from the line behind it', () => {
    expect(author('# new generation 78 by process 7259 (nft)')).toEqual({ program: 'nft', process: '7259' })
    expect(author('# new generation 79 by process 7260 (firewalld)')).toEqual({ program: 'firewalld', process: '7260' })
    expect(author('delete table ip kube-proxy')).toBeUndefined()
    expect([isUs('nft'), isUs('firewalld')]).toEqual([true, false])
  })
})
