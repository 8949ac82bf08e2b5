import { beforeEach, describe, expect, test } from 'vitest'
import { conflictKey, LeakReport } from '#cni/daemon/rounds/leak-report.ts'
import type { FoundConflict } from '#cni/leaks/conflicts.ts'
import type { RoundAttachment } from '#cni/leaks/round.ts'
import type { TakenBack } from '#cni/leaks/take-back.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { type CapturedLog, captureLog } from '../../../support/captured-log.ts'
import { address } from '../../../support/leases.ts'

let captured: CapturedLog
let report: LeakReport
beforeEach(() => {
  captured = captureLog(2)
  report = new LeakReport(captured.log, 'report')
})

/** What was logged since it was last asked. */
const lines = () => (captured.lines as string[]).splice(0)

type Verdict = 'in-use' | 'suspect' | 'leaked'

function attachment(is: Verdict, more: Partial<RoundAttachment> & { readonly pod?: string } = {}): RoundAttachment {
  const { pod, ...rest } = more
  const holder = { network: 'mynet', container: 'c1', ifname: 'eth0' }
  const leases = ['10.9.0.2', 'fd00:9::2'].map(one => ({ address: address(one), ...(pod !== undefined && { pod }) }))
  return { holder, leases, verdict: { is, why: 'why' }, ...rest } as unknown as RoundAttachment
}

const WHO = 'ips=["10.9.0.2","fd00:9::2"] network="mynet" container="c1" ifname="eth0"'

describe('a lease that nothing uses', () => {
  test('is a line when it is first suspected, and one when it is found', () => {
    report.found(attachment('suspect'))
    report.found(attachment('suspect', { before: 'suspect' }))
    report.found(attachment('leaked', { before: 'suspect' }))
    report.found(attachment('leaked', { before: 'leaked' }))
    expect(lines()).toEqual([
      `"Lease may be leaked" ${WHO} why="why"`,
      `"Leaked lease found" ${WHO} why="why" next="switchyard ipam gc --free takes it back"`,
    ])
  })

  test('that is found at once is a line as well, and one in use is none', () => {
    report.found(attachment('leaked'))
    report.found(attachment('in-use'))
    report.found(attachment('suspect', { before: 'leaked' }))
    expect(lines()).toHaveLength(1)
  })

  test('is not said to be found where it is freed at once', () => {
    report = new LeakReport(captured.log, 'free')
    report.found(attachment('suspect'))
    report.found(attachment('leaked'))
    expect(lines()).toEqual([expect.stringContaining('"Lease may be leaked"')])
  })

  test.each<[TakenBack['outcome'], string]>([
    ['freed', `"Leaked lease freed" ips=["10.9.0.2","fd00:9::2"] pod="shop/a"`],
    ['changed', '"Leaked lease has changed meanwhile"'],
    ['failed', '"Leaked lease not freed" err="the disk is full"'],
  ])('and was taken back is said to be %s', (outcome, says) => {
    const error = new Error('the disk is full')
    report.takenBack({ attachment: attachment('leaked', { pod: 'shop/a' }), outcome, error } as TakenBack)
    expect(lines()).toEqual([expect.stringContaining(says)])
  })
})

describe('a witness', () => {
  test('that does not answer is a line when that begins and one when it ends, each by itself', () => {
    report.witnesses(['api'], 'cannot reach it')
    report.witnesses(['api', 'runtime'], 'cannot reach it')
    report.witnesses(['runtime'], undefined)
    report.witnesses(['runtime'], undefined)
    report.witnesses([], undefined)
    report.witnesses(['api'], undefined)
    const next = 'next="what it might name is not freed"'
    expect(lines()).toEqual([
      `"Witness of leases does not answer" witness="api" err="cannot reach it" ${next}`,
      `"Witness of leases does not answer" witness="runtime" ${next}`,
      '"Witness of leases answers again" witness="api"',
      '"Witness of leases answers again" witness="runtime"',
      `"Witness of leases does not answer" witness="api" ${next}`,
    ])
  })
})

describe('an address in use without a lease', () => {
  const conflict: FoundConflict = {
    ...{ address: address('10.9.0.2'), network: 'mynet', container: 'c1', ifname: 'eth0', netns: '/run/netns/c1' },
    ...{ namespaceId: '4:1', boot: 'boot', at: 0 },
  } as FoundConflict

  test('is a line when it is new, with who has the lease, and one when it is gone', () => {
    const leasedTo = { container: 'c2' } as Lease
    report.conflicts([{ ...conflict, isNew: true }, { ...conflict, isNew: true, leasedTo }, conflict], [])
    report.conflicts([{ ...conflict, isNew: true, leasedTo: { ...leasedTo, pod: 'shop/b' } }], [conflict])
    const who = 'ip="10.9.0.2" network="mynet" container="c1" ifname="eth0" netns="/run/netns/c1"'
    const next = 'next="it is given to no other pod while it is in use"'
    expect(lines()).toEqual([
      `"Address in use without a lease" ${who} ${next}`,
      `"Address in use without a lease" ${who} leasedTo="c2" ${next}`,
      `"Address in use without a lease" ${who} leasedTo="shop/b" ${next}`,
      `"Address no longer in use without a lease" ${who}`,
    ])
  })

  test('is the same by network, address and container', () => {
    expect(conflictKey(conflict)).toBe('mynet 10.9.0.2 c1')
  })
})
