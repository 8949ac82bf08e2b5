import { expect, test } from 'vitest'
import type { KnownPod } from '#explain/names/directory.ts'
import { type KnownAround, nothingThere } from '#explain/service/nothing-there.ts'
import { cidr, ip, name, node, port, service } from '../../support/objects.ts'
import { asked, FROM_POD } from './stage.ts'

// What an address is that no frontend has: the words, and the code for programs.

const ASKED = asked([
  service('shop/cart', ['10.96.0.10'], { ports: [port({ name: 'http', port: 80, nodePort: 30_080 })] }),
  service('shop/six', ['fd00:96::11'], { externalIPs: [ip('198.18.1.1')] }),
  service('shop/headless', [], { externalIPs: [ip('198.18.1.2')] }),
  service('shop/bare', ['10.96.0.12'], { ports: [] }),
  { kind: 'ServiceCIDR', name: name('ranges'), cidrs: [cidr('10.96.0.0/16')] },
])

function pod(called: string, more: Partial<KnownPod> = {}): KnownPod {
  const addresses = [ip('10.244.1.7')]
  return { pod: called, node: 'one', addresses, isFinished: false, isOnHost: false, ...more }
}

const AROUND: KnownAround = {
  nodes: [
    node('one', { addresses: [ip('192.0.2.1')], podCIDRs: [cidr('10.244.1.0/24')] }),
    node('two', { addresses: [ip('192.0.2.2')], podCIDRs: [cidr('10.244.2.0/24')] }),
  ],
  pods: undefined,
  leased: undefined,
}

const said = (to: string, number: number, around: Partial<KnownAround> = {}) => {
  const reason = nothingThere(ASKED, { ...FROM_POD, to: ip(to), port: number }, { ...AROUND, ...around })
  return reason && `${reason.code}: ${reason.text}`
}

test.each<[string, number, Partial<KnownAround>, string]>([
  [
    '10.96.0.10',
    81,
    {},
    'port-not-named: 10.96.0.10 is an address of Service shop/cart, which has no port 81/tcp; it has 80/tcp (http)',
  ],
  [
    '10.96.0.12',
    80,
    {},
    'port-not-named: 10.96.0.12 is an address of Service shop/bare, which has no port 80/tcp; it has none',
  ],
  [
    '198.18.1.1',
    80,
    {},
    'not-a-service: 198.18.1.1 is an address of Service shop/six, which has no cluster IP of the same family: no rules lead there',
  ],
  [
    '198.18.1.2',
    80,
    {},
    'not-a-service: 198.18.1.2 is an address of Service shop/headless, which has no cluster IP of the same family: no rules lead there',
  ],
  [
    '192.0.2.2',
    22,
    {},
    'not-a-service: 192.0.2.2 is an address of node two, and no Service has 22/tcp as its node port: a program of the node may listen there',
  ],
  [
    '192.0.2.1',
    30_080,
    {},
    'not-a-service: 192.0.2.1 is an address of node one; 30080/tcp is a node port of shop/cart, which does not answer at this address here',
  ],
  [
    '127.0.0.9',
    22,
    {},
    'not-a-service: 127.0.0.9 is an address of this node, and no Service has 22/tcp as its node port: a program of the node may listen there',
  ],
  [
    '10.244.1.7',
    80,
    { pods: [pod('shop/old', { isFinished: true }), pod('shop/web')] },
    'not-a-service: 10.244.1.7 is no address of a Service but that of pod shop/web: it goes there by routes alone',
  ],
  [
    '10.244.1.7',
    80,
    { pods: [pod('shop/old', { isFinished: true })] },
    'address-never-given: 10.244.1.7 is in the range of pods of node one, and no pod has it: the address was never given, or its pod is gone',
  ],
  [
    '10.244.1.7',
    80,
    { leased: new Set() },
    'address-never-given: 10.244.1.7 is in the range of pods of node one, and no pod has it: the address was never given, or its pod is gone',
  ],
  [
    '10.244.1.7',
    80,
    { leased: new Set(['10.244.1.7']) },
    'not-a-service: 10.244.1.7 is no address of a Service; it is in the range of pods of node one, and goes there by routes alone',
  ],
  [
    '10.244.2.7',
    80,
    { leased: new Set() },
    'not-a-service: 10.244.2.7 is no address of a Service; it is in the range of pods of node two, and goes there by routes alone',
  ],
  [
    '203.0.113.9',
    80,
    { pods: [] },
    'not-a-service: 203.0.113.9 is no address of a Service, a node or a pod that is known',
  ],
])('%s:%d, where %j is known, is %s', (to, number, around, line) => {
  expect(said(to, number, around)).toBe(line)
})

test('an address of the range of Services that none has was never given', () => {
  expect(said('10.96.7.7', 80)).toMatch(
    /^address-never-given: 10\.96\.7\.7 is in the range of Services, 10\.96\.0\.0\/16,/,
  )
})
