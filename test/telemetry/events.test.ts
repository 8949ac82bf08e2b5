import { expect, test } from 'vitest'
import { claimLost, healthCheckFailed, rulesRefused, starting } from '#telemetry/events.ts'
import { name } from '../support/objects.ts'

const BY = { nodeName: 'n1', hostname: 'n1.example.org', now: Date.parse('2026-11-21T00:33:19.106Z') + 0.156 }
const SPEAKER = { reportingController: 'kube-proxy', reportingInstance: 'kube-proxy-n1.example.org' }

test('a start is an Event of the Node, in the default namespace, without a note', () => {
  expect(starting(BY)).toEqual({
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: { name: expect.stringMatching(/^n1\.[0-9a-f]{16}$/), namespace: 'default' },
    eventTime: '2026-11-21T00:33:19.106156Z',
    ...SPEAKER,
    action: 'StartKubeProxy',
    reason: 'Starting',
    regarding: { kind: 'Node', name: 'n1' },
    type: 'Normal',
  })
})

test('a health check port that cannot be had is an Event of its Service, in the words of kube-proxy', () => {
  const failure = { port: 31_234, reason: 'listen EADDRINUSE' }
  expect(healthCheckFailed(BY, name('shop/cart'), failure)).toMatchObject({
    metadata: { name: expect.stringMatching(/^cart\./), namespace: 'shop' },
    ...SPEAKER,
    action: 'Listen',
    reason: 'FailedToStartServiceHealthcheck',
    regarding: { kind: 'Service', apiVersion: 'v1', namespace: 'shop', name: 'cart' },
    note: 'node n1 failed to start healthcheck "shop/cart" on port 31234: listen EADDRINUSE',
    type: 'Warning',
  })
})

test('a lost claim is an Event of the loser, under the same name by every node', () => {
  const lost = { id: 'shop/b:http', service: name('shop/b'), frontend: 'tcp 10.0.0.1 80', holder: 'shop/a:http' }
  const said = claimLost(BY, lost)
  expect(said).toMatchObject({
    regarding: { kind: 'Service', namespace: 'shop', name: 'b' },
    type: 'Warning',
    reason: 'AddressClaimed',
    note: 'Service "shop/b:http" does not get tcp 10.0.0.1 80: "shop/a:http" is older and has it',
  })
  const elsewhere = claimLost({ ...BY, nodeName: 'n2', now: BY.now + 5000 }, lost)
  expect(elsewhere.metadata).toEqual(said.metadata)
  expect(claimLost(BY, { ...lost, holder: 'shop/c:http' }).metadata).not.toEqual(said.metadata)
})

test('rules that a node refuses are an Event of their Service, created once on each node', () => {
  const refused = { owner: 'shop/b:http/tcp', service: name('shop/b'), unit: 'nat KUBE-SVC-X', reason: 'line 7 failed' }
  const said = rulesRefused(BY, refused)
  expect(said).toMatchObject({
    regarding: { kind: 'Service', namespace: 'shop', name: 'b' },
    type: 'Warning',
    reason: 'RulesRefused',
    note: 'node n1 refuses the rules of "shop/b:http/tcp" (nat KUBE-SVC-X); those of all other Services are written: line 7 failed',
  })
  expect(rulesRefused({ ...BY, now: BY.now + 5000 }, { ...refused, reason: 'line 9 failed' }).metadata).toEqual(
    said.metadata,
  )
  expect(rulesRefused({ ...BY, nodeName: 'n2' }, refused).metadata).not.toEqual(said.metadata)
})

test('no field is longer than the API server allows', () => {
  const failure = { port: 1, reason: 'x'.repeat(5000) }
  const said = healthCheckFailed({ ...BY, hostname: 'h'.repeat(300), nodeName: 'n'.repeat(253) }, name('a/b'), failure)
  expect(said.note).toHaveLength(1024)
  expect(said.reportingInstance).toHaveLength(128)
  expect(starting({ ...BY, nodeName: 'n'.repeat(253) }).metadata.name.length).toBeLessThanOrEqual(253)
})

test.each([
  [0, '1970-01-01T00:00:00.000000Z'],
  [999.9994, '1970-01-01T00:00:00.999999Z'],
  [999.9996, '1970-01-01T00:00:01.000000Z'],
])('the time of %d ms has six digits', (now, text) => {
  expect(starting({ ...BY, now }).eventTime).toBe(text)
})
