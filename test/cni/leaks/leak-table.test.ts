import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { FoundConflict } from '#cni/leaks/conflicts.ts'
import { leakSummary, leakTable } from '#cni/leaks/leak-table.ts'
import type { RoundAttachment } from '#cni/leaks/round.ts'
import type { TakenBack } from '#cni/leaks/take-back.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { address, holder } from '../../support/leases.ts'

type Is = RoundAttachment['verdict']['is']

const lease = (ip: string, more: Partial<Lease> = {}): Lease => ({
  ...{ ...holder('0123456789abcdef'), address: address(ip), family: ip.includes(':') ? 'ipv6' : 'ipv4', set: 0 },
  ...{ boot: 'b', state: 'assigned', at: 0, ...more },
})

const attachment = (
  is: Is,
  leases: RoundAttachment['leases'],
  runtime: 'not' | 'names' = 'names',
): RoundAttachment => ({
  ...{ holder: holder('0123456789abcdef'), leases, testimonies: { namespace: 'names', runtime, api: 'mute' } },
  verdict: { is, why: `because ${is}` },
})

const CONFLICT: FoundConflict = {
  ...{ ...holder('0123456789abcdef'), address: address('10.9.0.6'), netns: '/n', namespaceId: '4:1', boot: 'b', at: 0 },
}

test('each verdict has its word; what is new, and what is in use without a dispute, is not shown', () => {
  const attachments = (['live', 'young', 'unknown', 'suspect', 'leaked'] as const).map((is, i) =>
    attachment(is, [lease(`10.9.0.${i}`, { pod: `p${i}` })]),
  )
  const lines = [
    'IP         POD   VERDICT   WHY',
    '10.9.0.2   p2    UNKNOWN   because unknown',
    '10.9.0.3   p3    SUSPECT   because suspect',
    '10.9.0.4   p4    LEAKED    because leaked',
  ]
  for (const shows of ['doubtful', 'disputed'] as const)
    expect(leakTable({ attachments, conflicts: [], shows }).split('\n')).toEqual(lines)
})

test('a dispute is shown where it is asked for, and nothing where there is nothing to show', () => {
  const attachments = [attachment('live', [lease('10.9.0.2', { pod: 'p' })], 'not')]
  expect(leakTable({ attachments, conflicts: [], shows: 'disputed' })).toContain(
    '10.9.0.2   p     ASSIGNED   because live',
  )
  expect(leakTable({ attachments, conflicts: [], shows: 'doubtful' })).toBe('')
  expect(
    leakTable({ attachments: [attachment('young', [lease('10.9.0.2')], 'not')], conflicts: [], shows: 'disputed' }),
  ).toBe('')
})

test('all addresses of an attachment share what became of it; one without a pod is known by the start of its container', () => {
  const one = attachment('leaked', [lease('10.9.0.2'), lease('fd00::2')])
  const table = (taken: Omit<TakenBack, 'attachment' | 'addresses'>) =>
    leakTable({
      ...{ attachments: [one], conflicts: [], shows: 'doubtful' },
      takenBack: [{ attachment: one, addresses: [], ...taken }],
    })
      .split('\n')
      .slice(1)
      .map(line => line.replace(/ {3,}/g, '|'))
  const rows = (rest: string) => ['10.9.0.2', 'fd00::2'].map(ip => `${ip}|<container 0123456789abc>|${rest}`)
  expect(table({ outcome: 'freed' })).toEqual(rows('FREED|because leaked'))
  expect(table({ outcome: 'changed' })).toEqual(rows('CHANGED|because leaked'))
  expect(table({ outcome: 'failed', error: new Error('no') })).toEqual(
    rows('LEAKED|because leaked; not taken back: no'),
  )
  expect(table({ outcome: 'failed', error: 'no' })).toEqual(rows('LEAKED|because leaked; not taken back: no'))
})

test.each<[Partial<FoundConflict>, string]>([
  [{}, '<container 0123456789abc>   CONFLICT   in use on eth0 in /n without a lease'],
  [{ pod: 'x/y' }, 'x/y   CONFLICT   in use on eth0 in /n without a lease'],
  [
    { pod: 'x/y', leasedTo: lease('10.9.0.6', { pod: 'x/z' }) },
    'x/y   CONFLICT   in use on eth0 in /n and leased to x/z',
  ],
  [{ pod: 'x/y', leasedTo: lease('10.9.0.6') }, 'x/y   CONFLICT   in use on eth0 in /n and leased to 0123456789abcdef'],
])('a conflict %j is a line of its own', (more, line) => {
  const table = leakTable({ attachments: [], conflicts: [{ ...CONFLICT, ...more }], shows: 'doubtful' })
  expect(table.split('\n')[1]).toBe(`10.9.0.6   ${line}`)
})

test('a summary counts each attachment once, and in words that fit the number', () => {
  expect(leakSummary({ attachments: [], conflicts: [] })).toBe('0 attachments: 0 in use')
  const is = fc.constantFrom<Is[]>('live', 'young', 'unknown', 'suspect', 'leaked')
  fc.assert(
    fc.property(fc.array(is, { maxLength: 8 }), fc.nat(3), fc.nat(3), (verdicts, freed, conflicting) => {
      const attachments = verdicts.map(one => attachment(one, [lease('10.9.0.2')]))
      const leaked = attachments.filter(({ verdict }) => verdict.is === 'leaked')
      const takenBack = leaked.map(
        (one, i): TakenBack => ({ attachment: one, outcome: i < freed ? 'freed' : 'failed', addresses: [] }),
      )
      const text = leakSummary({
        attachments,
        takenBack,
        conflicts: Array.from({ length: conflicting }, () => CONFLICT),
      })
      const [, all, counts, back = '0', conflicts = '0'] =
        /^(\d+) attachments?: ((?:\d+ [a-z ]+(?:, )?)+?)(?:, of which (\d+) (?:was|were) taken back)?(?:; (\d+) address(?:es)? in conflict)?$/.exec(
          text,
        )!
      const sum = [...counts!.matchAll(/\d+/g)].reduce((total, [digits]) => total + Number(digits), 0)
      expect([Number(all), sum]).toEqual([verdicts.length, verdicts.length])
      expect([Number(back), Number(conflicts)]).toEqual([Math.min(freed, leaked.length), conflicting])
      expect(text).not.toMatch(/\b1 attachments|\b1 were|\b1 addresses|[^1] was|[^1] attachment:|[^1] address /)
    }),
  )
})
