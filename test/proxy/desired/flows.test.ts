import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bypassedFlows, changedFlows, type PendingFlows } from '#proxy/desired/flows.ts'
import type { Resolved } from '#proxy/desired/resolve.ts'
import type { Protocol } from '#values/protocol.ts'

// Which flows a change of a Service makes stale.

interface PortSpec {
  readonly protocol?: Protocol
  /** `undefined` is the node port. */
  readonly at?: readonly (string | undefined)[]
  readonly port?: number
  readonly serving?: readonly string[]
}

function resolved({ protocol = 'udp', at = ['10.96.0.10'], port = 53, serving = [] }: PortSpec): Resolved {
  const frontends = at.map(ip => ({ ...(ip !== undefined && { ip }), port }))
  return { traffic: { id: 'dns/dns', protocol, frontends }, serving } as unknown as Resolved
}

const stale = (pending: PendingFlows) =>
  Object.fromEntries(
    [...pending].map(([key, { stale }]) => [
      key,
      'only' in stale ? { only: [...stale.only] } : { unless: [...stale.unless] },
    ]),
  )

const A = '10.1.0.1:53'
const B = '10.1.0.2:53'

describe('of UDP', () => {
  test.each([
    ['a new frontend', [], [{ serving: [A] }], { 'udp 10.96.0.10 53': { unless: [A] } }],
    ['an endpoint that goes', [{ serving: [A, B] }], [{ serving: [B] }], { 'udp 10.96.0.10 53': { unless: [B] } }],
    ['an endpoint that comes', [{ serving: [A] }], [{ serving: [A, B] }], { 'udp 10.96.0.10 53': { unless: [A, B] } }],
    ['the same endpoints in another order', [{ serving: [A, B] }], [{ serving: [B, A] }], {}],
    ['a frontend that goes', [{ serving: [A] }], [], { 'udp 10.96.0.10 53': { only: [A] } }],
    [
      'an address that goes while another stays',
      [{ at: ['10.96.0.10', '198.18.0.7'], serving: [A] }],
      [{ serving: [A] }],
      { 'udp 198.18.0.7 53': { only: [A] } },
    ],
    [
      'a node port that comes',
      [{ serving: [A] }],
      [{ at: ['10.96.0.10', undefined], serving: [A] }],
      { 'udp node 53': { unless: [A] } },
    ],
    [
      'another protocol',
      [{ serving: [A] }],
      [{ protocol: 'sctp', serving: [A] }],
      { 'udp 10.96.0.10 53': { only: [A] }, 'sctp 10.96.0.10 53': { unless: [A] } },
    ],
  ] as const)('%s', (_, before, after, expected) => {
    expect(stale(changedFlows(before.map(resolved), after.map(resolved)))).toEqual(expected)
  })
})

describe('of TCP, where the kernel sees the end', () => {
  const tcp = (serving: readonly string[]) => [resolved({ protocol: 'tcp', port: 80, serving })]
  const key = 'tcp 10.96.0.10 80'

  test.each([
    ['a new frontend counts', [], tcp([A]), { [key]: { unless: [A] } }],
    ['the first endpoint counts', tcp([]), tcp([A]), { [key]: { unless: [A] } }],
    ['a further endpoint does not', tcp([A]), tcp([A, B]), {}],
    ['an endpoint that goes does not', tcp([A, B]), tcp([A]), {}],
    ['the last endpoint does not', tcp([A]), tcp([]), {}],
    ['a frontend that goes does not', tcp([A]), [], {}],
  ])('%s', (_, before, after, expected) => {
    expect(stale(changedFlows(before, after))).toEqual(expected)
  })
})

test('listeners of the relay answer besides endpoints, at frontends that stand and at those that are gone', () => {
  const listenersOf = () => ['the relay']
  const port = resolved({ serving: [A] })
  expect(stale(changedFlows([], [port], listenersOf))).toEqual({ 'udp 10.96.0.10 53': { unless: [A, 'the relay'] } })
  expect(stale(changedFlows([port], [], listenersOf))).toEqual({ 'udp 10.96.0.10 53': { only: [A, 'the relay'] } })
  expect(stale(bypassedFlows([port], listenersOf))).toEqual({ 'udp 10.96.0.10 53': { unless: [A, 'the relay'] } })
})

test('a flow to an endpoint that still serves is never stale, and of UDP one to any other always is', () => {
  const serving = fc.uniqueArray(fc.constantFrom(A, B, '10.1.0.3:53'))
  fc.assert(
    fc.property(serving, serving, fc.constantFrom('udp', 'sctp'), (before, after, protocol) => {
      const [pending] = changedFlows(
        [resolved({ protocol, serving: before })],
        [resolved({ protocol, serving: after })],
      ).values()
      const isStale = (source: string) =>
        pending !== undefined && 'unless' in pending.stale && !pending.stale.unless.has(source)
      for (const source of new Set([...before, ...after])) expect(isStale(source)).toBe(!after.includes(source))
    }),
  )
})
