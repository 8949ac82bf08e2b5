import { expect, test } from 'vitest'
import { found, IPAM, ipam, list } from '../configurations.ts'

test('a gateway outside of its subnet may be meant so', () => {
  const sentence = (at: string, gateway: string, subnet: string) =>
    `warning: plugins[0].ipam.${at}gateway: ${gateway} is not in the subnet ${subnet}, so pods reach it only with a route of their own; most likely another address is meant`
  expect(found(ipam({ gateway: '10.23.0.1' }))).toEqual([sentence('', '10.23.0.1', '10.22.0.0/16')])
  const ranges = [[{ subnet: '10.24.0.0/16', gateway: '10.24.0.9' }], [{ subnet: 'fd00::/64', gateway: 'fd01::1' }]]
  const linkLocal = [[{ subnet: 'fd00::/64', gateway: 'fe80::1' }]]
  expect(found(ipam({ subnet: undefined, ranges: linkLocal })).filter(line => /gateway/.test(line))).toEqual([])
  expect(found(ipam({ subnet: undefined, ranges }))).toEqual([sentence('ranges[1][0].', 'fd01::1', 'fd00::/64')])
})

test.each([
  [{ gateway: 'fd00::1' }, ''],
  [{ subnet: undefined, ranges: [[{ subnet: 'fd00::/64', gateway: '10.22.0.1' }]] }, 'ranges[0][0].'],
])('a gateway of the other family is an error, as it is for the plugin: %j', (more, at) => {
  const [line, ...others] = found(list({ ipMasq: false, ipam: { ...IPAM, ...more } }))
  expect(others).toEqual([])
  expect(line!.startsWith(`error: plugins[0].ipam.${at}gateway: `)).toBe(true)
  expect(line).toMatch(/ is not an IPv[46] address; write /)
})
