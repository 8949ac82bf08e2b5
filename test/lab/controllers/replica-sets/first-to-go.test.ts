import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Pod } from '#lab/client/objects.ts'
import { firstToGo } from '#lab/controllers/replica-sets/first-to-go.ts'
import { podOf } from '../paper-cluster.ts'

interface WebOptions {
  readonly node?: string | undefined
  readonly phase?: string
  /** Since when it is ready; absent where it is not. */
  readonly readySince?: string | undefined
  readonly cost?: string
  readonly restarts?: number
  readonly created?: string
}

function web(name: string, options: WebOptions = {}): Pod {
  const { node, phase = 'Running', readySince, cost, restarts = 0, created = '2026-03-01T10:00:00Z' } = options
  const ready = readySince === undefined ? [] : [{ type: 'Ready', status: 'True', lastTransitionTime: readySince }]
  const annotations = cost === undefined ? {} : { 'controller.kubernetes.io/pod-deletion-cost': cost }
  const pod = podOf(name, { metadata: { creationTimestamp: created, annotations } })
  const containerStatuses = [{ name: 'main', image: '', imageID: '', ready: true, restartCount: restarts }]
  return {
    ...{ ...pod, metadata: { ...pod.metadata, namespace: 'default', name } },
    spec: { ...pod.spec!, ...(node !== undefined && { nodeName: node }) },
    status: { phase, conditions: ready, containerStatuses },
  } as Pod
}

const names = (pods: readonly Pod[]) => firstToGo(pods).map(({ metadata }) => metadata.name)
const EARLY = '2026-03-01T11:00:00Z'
const LATE = '2026-03-01T12:00:00Z'

describe('first goes', () => {
  const good = web('good', { node: 'a', readySince: EARLY })

  test.each<[string, Pod, Pod]>([
    ['one without a node', web('goes', { phase: 'Pending' }), web('stays', { node: 'a', phase: 'Pending' })],
    ['one that has not begun', web('goes', { node: 'b', phase: 'Pending' }), web('stays', { node: 'a' })],
    ['one that is not ready, whatever it costs', web('goes', { node: 'b', cost: '1000' }), good],
    ['one that costs less', web('goes', { node: 'b', readySince: EARLY, cost: '-1' }), good],
    ['one that has been ready for less time', web('goes', { node: 'b', readySince: LATE }), good],
    ['one that restarted more often', web('goes', { node: 'b', readySince: EARLY, restarts: 2 }), good],
    ['the newer one', web('goes', { node: 'b', readySince: EARLY, created: LATE }), good],
    ['one by its name where all else is the same', web('a', { node: 'b', readySince: EARLY }), good],
  ])('%s', (_, goes, stays) => {
    expect(names([stays, goes])[0]).toBe(goes.metadata.name)
    expect(names([goes, stays])[0]).toBe(goes.metadata.name)
  })

  test('one that has others on its node, though it has been ready for longer', () => {
    const alone = web('alone', { node: 'b', readySince: LATE })
    const crowded = ['one', 'two'].map(name => web(name, { node: 'a', readySince: EARLY }))
    expect(names([alone, ...crowded])).toEqual(['one', 'two', 'alone'])
  })

  test('none for a cost that is no number', () => {
    expect(
      names([
        web('a', { node: 'a', cost: 'cheap', readySince: EARLY }),
        web('b', { node: 'b', cost: '-1', readySince: EARLY }),
      ]),
    ).toEqual(['b', 'a'])
  })
})

test('the order in which pods come changes nothing, and none is lost', () => {
  const options = fc.record({
    node: fc.constantFrom(undefined, 'a', 'b'),
    phase: fc.constantFrom('Pending', 'Running', 'Unknown'),
    readySince: fc.constantFrom(undefined, EARLY, LATE),
    cost: fc.constantFrom('0', '-5', 'cheap'),
    restarts: fc.nat(2),
  })
  const shuffled = fc.array(options, { maxLength: 8 }).chain(list => {
    const pods = list.map((it, index) => web(`web-${index}`, it))
    return fc.tuple(fc.constant(pods), fc.shuffledSubarray(pods, { minLength: pods.length }))
  })
  fc.assert(
    fc.property(shuffled, ([pods, again]) => {
      expect(names(again)).toEqual(names(pods))
      expect([...names(pods)].sort()).toEqual(pods.map(({ metadata }) => metadata.name).sort())
    }),
  )
})
