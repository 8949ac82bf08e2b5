import { beforeEach, describe, expect, test } from 'vitest'
import { rangeReports, strandedLeases } from '#cni/daemon/ranges/range-reports.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import type { RangeSet } from '#ipam/ranges/range-set.ts'
import { type MyRanges, NO_CHANGE } from '#ipam/sources/range-source.ts'
import { type CapturedLog, captureLog } from '../../../support/captured-log.ts'
import { address, setOf } from '../../../support/leases.ts'

let captured: CapturedLog
let leases: readonly Lease[]
let configured: number
let outcome: 'placed' | 'unchanged'
let reports: ReturnType<typeof rangeReports>

beforeEach(() => {
  captured = captureLog(2)
  leases = []
  configured = 0
  outcome = 'unchanged'
  reports = rangeReports({
    ...{ source: 'ring', book: { leases: () => leases }, log: captured.log },
    configure: async () => {
      configured += 1
      return outcome
    },
  })
})

const lines = () => (captured.lines as string[]).splice(0)
const mine = (...subnets: readonly string[]): MyRanges => ({ sets: subnets.map(setOf), why: '' })
const stretch = (first: string, last: string) => ({ first: address(first), last: address(last) })
const lease = (at: string, pod?: string) =>
  ({ network: 'pods', container: `c${at}`, ifname: 'eth0', address: address(at), ...(pod && { pod }) }) as Lease

describe('the ranges of a node', () => {
  test('that come and go are said, with all there are', async () => {
    await reports.looked(
      { gained: [stretch('10.32.0.0', '10.32.0.63')], lost: [] },
      mine('10.32.0.0/26', '10.33.0.0/26'),
    )
    await reports.looked({ gained: [], lost: [stretch('10.32.0.0', '10.32.0.63')] }, mine('10.33.0.0/26'))
    expect(lines()).toEqual([
      '"This node has ranges" source="ring" gained="10.32.0.0-10.32.0.63" all="10.32.0.1-10.32.0.62,10.33.0.1-10.33.0.62"',
      '"This node has lost ranges" source="ring" lost="10.32.0.0-10.32.0.63" next="no address of them is given"',
    ])
  })

  test('that are none have a reason, which is said once, and again after there were some', async () => {
    const none = (why: string) => reports.looked(NO_CHANGE, { sets: [], why })
    for (const why of ['no peer yet', 'no peer yet', 'nothing is free', 'nothing is free']) await none(why)
    await reports.looked(NO_CHANGE, mine('10.32.0.0/26'))
    await none('nothing is free')
    expect(lines().map(line => line.replace('"This node has no range yet" source="ring" ', ''))).toEqual([
      'why="no peer yet"',
      'why="nothing is free"',
      'why="nothing is free"',
    ])
    expect(configured).toBe(1)
  })

  test('are configured with each look, and that is said where a file was written', async () => {
    outcome = 'placed'
    await reports.looked(NO_CHANGE, mine('10.32.0.0/26'))
    outcome = 'unchanged'
    await reports.looked(NO_CHANGE, mine('10.32.0.0/26'))
    expect([lines(), configured]).toEqual([['"Network configuration written" source="ring"'], 2])
  })

  test('that are short or idle are said', () => {
    reports.asked({ free: 3n, size: 64n })
    reports.gaveBack([stretch('10.32.0.0', '10.32.0.63'), stretch('10.33.0.0', '10.33.0.7')])
    expect(lines()).toEqual([
      '"Asked other nodes for addresses" source="ring" free="3" of="64"',
      '"Gave back ranges that are not used" source="ring" ranges="10.32.0.0-10.32.0.63,10.33.0.0-10.33.0.7"',
    ])
  })
})

describe('a source that fails', () => {
  test('is an error once, then hardly said, until it does not any more', async () => {
    reports.failed(new Error('away'), 1000)
    reports.failed(new Error('away'), 2000)
    await reports.looked(NO_CHANGE, mine('10.32.0.0/26'))
    await reports.looked(NO_CHANGE, mine('10.32.0.0/26'))
    reports.failed(new Error('away'), 1000)
    expect(lines().map(line => line.split(' source')[0])).toEqual([
      '"Ranges of this node could not be looked at" err="away"',
      '"Ranges of this node could not be looked at again"',
      '"Ranges of this node are up to date again"',
      '"Ranges of this node could not be looked at" err="away"',
    ])
  })
})

describe('pods whose addresses are of no range any longer', () => {
  test('are named once each, and again where they were not meanwhile', async () => {
    leases = [lease('10.32.0.2', 'shop/a'), lease('10.33.0.2')]
    await reports.looked(NO_CHANGE, mine('10.33.0.0/26'))
    await reports.looked(NO_CHANGE, mine('10.33.0.0/26'))
    leases = [...leases, lease('10.32.0.3')]
    await reports.looked(NO_CHANGE, mine('10.33.0.0/26'))
    expect(lines().map(line => line.split(' next=')[0])).toEqual([
      '"A pod has an address of a range that is not this node’s any longer" address="10.32.0.2" pod="shop/a" network="pods"',
      '"A pod has an address of a range that is not this node’s any longer" address="10.32.0.3" container="c10.32.0.3" network="pods"',
    ])
    await reports.looked(NO_CHANGE, mine('10.32.0.0/26', '10.33.0.0/26'))
    await reports.looked(NO_CHANGE, mine('10.33.0.0/26'))
    expect(lines()).toHaveLength(2)
  })

  test('that are many are counted', async () => {
    leases = Array.from({ length: 25 }, (_, i) => lease(`10.32.0.${i + 1}`))
    await reports.looked(NO_CHANGE, mine('10.33.0.0/26'))
    const said = lines()
    expect([said.length, said.at(-1)]).toEqual([
      21,
      '"More pods have such addresses" count=5 look="switchyard ipam ls"',
    ])
  })

  test('are those outside every range of every set, of either family', () => {
    const sets: readonly RangeSet[] = [[...setOf('10.32.0.0/26'), ...setOf('10.34.0.0/26')], setOf('fd00:9::/64')]
    const all = ['10.32.0.9', '10.34.0.9', '10.33.0.9', 'fd00:9::9', 'fd00:8::9'].map(at => lease(at))
    expect(strandedLeases(all, { sets }).map(one => one.address)).toEqual(['10.33.0.9', 'fd00:8::9'])
    expect(strandedLeases(all, { sets: [] })).toEqual(all)
  })
})
