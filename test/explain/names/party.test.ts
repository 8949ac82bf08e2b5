import { expect, test } from 'vitest'
import { fromIn, goalIn } from '#explain/names/party.ts'

test.each([
  ['10.244.1.7', { is: 'address', address: '10.244.1.7' }],
  ['fd00::1', { is: 'address', address: 'fd00::1' }],
  ['pod/web-1', { is: 'pod', name: 'web-1' }],
  ['pod/shop/web-1', { is: 'pod', namespace: 'shop', name: 'web-1' }],
  ['shop/web-1', { is: 'pod', namespace: 'shop', name: 'web-1' }],
  ['node', { is: 'node' }],
  ['node/worker-1', { is: 'node', name: 'worker-1' }],
])('FROM may be %s', (text, party) => {
  expect(fromIn(text)).toEqual(party)
})

test.each([
  ['10.96.0.10:80', { party: { is: 'address', address: '10.96.0.10' }, port: '80' }],
  ['[fd00::1]:53/udp', { party: { is: 'address', address: 'fd00::1' }, port: '53', protocol: 'udp' }],
  ['shop/cart', { party: { is: 'service', namespace: 'shop', name: 'cart' } }],
  ['svc/cart:http', { party: { is: 'service', name: 'cart' }, port: 'http' }],
  [
    'service/shop/cart:80/tcp',
    { party: { is: 'service', namespace: 'shop', name: 'cart' }, port: '80', protocol: 'tcp' },
  ],
  ['pod/web-1:8080', { party: { is: 'pod', name: 'web-1' }, port: '8080' }],
  ['node/worker-1:30080', { party: { is: 'node', name: 'worker-1' }, port: '30080' }],
])('TO may be %s', (text, goal) => {
  expect(goalIn(text)).toEqual(goal)
})

test.each(['svc/cart', 'web', 'a/b/c/d', 'pod/', 'Pod/x', ''])('FROM is not %j', text => {
  expect(() => fromIn(text)).toThrow(/^FROM: /)
})

test.each([
  'cart',
  'pod/web-1',
  '10.96.0.10',
  '10.96.0.10:0',
  'svc/cart:99999',
  'svc/cart:80/icmp',
  'a/b/c/d:80',
  'fd00::1:80',
])('TO is not %j', text => {
  expect(() => goalIn(text)).toThrow(/^TO:PORT: /)
})
