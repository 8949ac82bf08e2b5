import { expect, test } from 'vitest'
import type { Explanation, Way } from '#explain/answer.ts'
import { explanationText } from '#explain/text.ts'
import { ip } from '../support/objects.ts'

// An explanation, as a person reads it.

const HOP = { at: 'nat KUBE-SERVICES', rule: '-A KUBE-SERVICES -j X', did: 'jump X' }
const WAY: Way = {
  ...{ share: 1, hops: [HOP], after: [] },
  end: { to: 'endpoint', endpoint: '10.244.1.2:8080', masqueraded: false },
}
const PLAIN: Explanation = {
  from: { label: '10.244.1.9', address: ip('10.244.1.9') },
  to: { label: '', address: ip('10.96.0.10'), port: 80, protocol: 'tcp' },
  ...{ node: 'one', mode: 'iptables', rules: 'wanted', before: [], ways: [WAY], findings: [] },
}

test('one way alone has no chance to be said', () => {
  expect(explanationText(PLAIN)).toBe(
    [
      'From 10.244.1.9 to 10.96.0.10:80/tcp, by the rules of node one in iptables mode:',
      '  nat KUBE-SERVICES: jump X',
      '      -A KUBE-SERVICES -j X',
      '  ⇒ arrives at 10.244.1.2:8080',
    ].join('\n'),
  )
})

test('everything that is known stands in the order of the packet', () => {
  const text = explanationText({
    ...PLAIN,
    from: { label: 'pod shop/web', address: ip('10.244.1.9') },
    to: { label: 'Service shop/cart, port http', address: ip('fd00:96::10'), port: 80, protocol: 'tcp' },
    ...{ node: '', rules: 'of the kernel' },
    before: [{ at: 'pod shop/web', text: 'eth0' }],
    ways: [
      {
        ...WAY,
        ...{ share: 1 / 3, hops: [], source: 'kept', after: [{ at: 'node', text: 'route' }] },
        end: { to: 'endpoint', endpoint: 'a:1', masqueraded: true },
      },
      { ...WAY, share: 2 / 3, hops: [], end: { to: 'dropped' } },
    ],
    reason: { code: 'none-here', text: 'because' },
    findings: ['this', 'that'],
    sent: { outcome: 'silence', asExplained: true, text: 'Sent: nothing came.' },
  })
  expect(text.split('\n')).toEqual([
    'From pod shop/web (10.244.1.9) to Service shop/cart, port http ([fd00:96::10]:80/tcp), by the rules of node ? in iptables mode, as its kernel has them:',
    '  pod shop/web: eth0',
    '33.3 % of all connections:',
    '  source: kept',
    '  node: route',
    "  ⇒ arrives at a:1, with the node's address as its source",
    '',
    '66.7 % of all connections:',
    '  ⇒ is dropped',
    'Why: because.',
    'Look at: this.',
    'Look at: that.',
    'Sent: nothing came.',
  ])
})

test.each<[Way['end'], string]>([
  [{ to: 'rejected' }, 'is refused'],
  [{ to: 'dropped' }, 'is dropped'],
  [{ to: 'untouched', masqueraded: false }, 'is no concern of ours: it goes where its address says'],
  [
    { to: 'untouched', masqueraded: true },
    "is no concern of ours: it goes where its address says, with the node's address as its source",
  ],
])('%j is its last line', (end, line) => {
  expect(
    explanationText({ ...PLAIN, ways: [{ ...WAY, end }] })
      .split('\n')
      .at(-1),
  ).toBe(`  ⇒ ${line}`)
})
