import { expect, test } from 'vitest'
import { resolvConfDns } from '#cni/plugins/host-local/resolv-conf.ts'

test('a resolv.conf becomes DNS settings', () => {
  const text = [
    '# nameserver 9.9.9.9',
    'nameserver 1.1.1.1',
    ' nameserver\tfd00::53 # x',
    ';search c',
    'domain a.b',
    'search x y',
    'search z',
    'options ndots:5 rotate',
    'options edns0\r',
    'sortlist 10.0.0.0',
    'nameserver',
  ].join('\n')
  expect(resolvConfDns(text)).toEqual({
    nameservers: ['1.1.1.1', 'fd00::53'],
    domain: 'a.b',
    search: ['x', 'y', 'z'],
    options: ['ndots:5', 'rotate', 'edns0'],
  })
})

test('an empty one is no setting at all', () => {
  expect(resolvConfDns('')).toEqual({})
})
