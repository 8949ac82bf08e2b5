import { expect, test } from 'vitest'
import { ip } from '../../../support/objects.ts'
import { unit, unitText } from '../../../support/units.ts'
import { bookOf } from './scene.ts'

const chain = (called: string, nodePortAddresses: 'all' | readonly string[]): string | undefined =>
  bookOf([], 'ipv4', {
    view: { nodePortAddresses: nodePortAddresses === 'all' ? 'all' : nodePortAddresses.map(ip) },
  }).rules.get(unit(`chain ${called}`))

test('node ports answer on all addresses of the node but loopback, where none are named', () => {
  expect(chain('services', 'all')).toMatch(
    /^fib daddr type local ip daddr != 127\.0\.0\.0\/8 meta l4proto \. th dport vmap @service-nodeports$/m,
  )
  expect(chain('nodeport-endpoints-check', 'all')).toBe(
    'ip daddr != 127.0.0.0/8 meta l4proto . th dport vmap @no-endpoint-nodeports',
  )
})

test('or on the addresses that are named, and never on loopback', () => {
  const rules = bookOf([], 'ipv4', {
    view: { nodePortAddresses: ['10.99.0.2', '127.0.0.1'].map(ip), localhostNodePorts: true },
  }).rules
  expect(rules.get(unit('chain services'))).toMatch(
    /^ip daddr @nodeport-ips meta l4proto \. th dport vmap @service-nodeports$/m,
  )
  expect([...rules.keys()].map(unitText).filter(unit => unit.startsWith('element '))).toEqual([
    'element nodeport-ips 10.99.0.2',
  ])
})

test('the mark is the configured one, at both ends', () => {
  const { rules } = bookOf([], 'ipv4', { view: { mark: 2 ** 31 } })
  expect(rules.get(unit('chain masquerading'))!.split('\n')[0]).toBe(
    'meta mark & 0x80000000 != 0 meta mark set meta mark ^ 0x80000000 masquerade fully-random',
  )
})
