import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '#lab/client/objects.ts'
import { mayStayMs, type Taint, taintsOf } from '#lab/controllers/nodes/taints.ts'
import { podOf } from '../paper-cluster.ts'

const UNREACHABLE = 'node.kubernetes.io/unreachable'
const NOT_READY = 'node.kubernetes.io/not-ready'
const UNSCHEDULABLE = 'node.kubernetes.io/unschedulable'
const THEN = '2026-03-01T12:00:00Z'
const NOW = '2026-03-01T12:00:30Z'

function node(ready: string | undefined, taints?: readonly Taint[], unschedulable = false): Node {
  const conditions = ready === undefined ? [] : [{ type: 'Ready', status: ready }]
  const spec = { ...(taints && { taints }), ...(unschedulable && { unschedulable }) }
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' }, spec, status: { conditions } }
}

describe('a node has the taints', () => {
  const both = (key: string, timeAdded: string) => [
    { key, effect: 'NoSchedule' },
    { key, effect: 'NoExecute', timeAdded },
  ]

  test.each<[string, Node, readonly Taint[] | undefined]>([
    ['none while it is ready', node('True'), undefined],
    ['of what is not ready where it says so', node('False'), both(NOT_READY, NOW)],
    ['of what is not ready where it is new', node(undefined), both(NOT_READY, NOW)],
    ['of what cannot be reached where it is silent', node('Unknown'), both(UNREACHABLE, NOW)],
    ['of before, with their time', node('Unknown', both(UNREACHABLE, THEN)), undefined],
    ['of now in place of others', node('Unknown', both(NOT_READY, THEN)), both(UNREACHABLE, NOW)],
    ['of a cordon', node('True', [], true), [{ key: UNSCHEDULABLE, effect: 'NoSchedule' }]],
    ['no longer of a cordon', node('True', [{ key: UNSCHEDULABLE, effect: 'NoSchedule' }]), []],
  ])('%s', (_, of, taints) => {
    expect(taintsOf(of, NOW)).toEqual(taints)
  })

  test('of a user with the time since when they empty the node, once', () => {
    const repair = { key: 'repair', value: 'disk', effect: 'NoExecute' }
    const timed = [{ ...repair, timeAdded: NOW }]
    expect(taintsOf(node('True', [repair]), NOW)).toEqual(timed)
    expect(taintsOf(node('True', timed), '2026-03-01T13:00:00Z')).toBeUndefined()
  })

  test('that stay as they are once written, with all of other programs among them', () => {
    const taint = fc.record({
      key: fc.constantFrom(UNREACHABLE, NOT_READY, UNSCHEDULABLE, 'team', 'repair'),
      effect: fc.constantFrom('NoSchedule', 'NoExecute', 'PreferNoSchedule'),
    })
    const all = fc.uniqueArray(taint, { selector: ({ key, effect }) => key + effect })
    const ready = fc.constantFrom('True', 'False', 'Unknown', undefined)
    fc.assert(
      fc.property(all, ready, fc.boolean(), (taints, status, isCordoned) => {
        const next = taintsOf(node(status, taints, isCordoned), NOW) ?? taints
        expect(taintsOf(node(status, next, isCordoned), THEN)).toBeUndefined()
        const foreign = taints.filter(({ key }) => key === 'team' || key === 'repair')
        expect(next).toEqual(expect.arrayContaining(foreign.map(it => expect.objectContaining(it))))
      }),
    )
  })
})

describe('a pod may stay', () => {
  const now = Date.parse(NOW)
  const away = { key: UNREACHABLE, effect: 'NoExecute', timeAdded: THEN }
  const repair = { key: 'repair', effect: 'NoExecute', timeAdded: THEN }
  const left = (tolerations: NonNullable<Pod['spec']>['tolerations'], ...taints: readonly Taint[]) => {
    const pod = podOf('web-1')
    return mayStayMs({ ...pod, spec: { ...pod.spec!, ...(tolerations && { tolerations }) } }, taints, {
      now,
      toleranceMs: 100_000,
    })
  }
  const tolerated = (key: string, tolerationSeconds?: number) => ({
    ...{ key, operator: 'Exists', effect: 'NoExecute' },
    ...(tolerationSeconds !== undefined && { tolerationSeconds }),
  })

  test('for ever where no taint empties the node', () => {
    expect(left([])).toBe(Number.POSITIVE_INFINITY)
    expect(left([], { ...repair, effect: 'NoSchedule' })).toBe(Number.POSITIVE_INFINITY)
  })

  test('for the usual time where it says nothing of a node that is away, and for no time where a user empties it', () => {
    expect(left([], away)).toBe(70_000)
    expect(left([], repair)).toBe(0)
    expect(left([], away, repair)).toBe(0)
  })

  test('for as long as it says, counted from the taint, and the shortest of several times counts', () => {
    expect(left([tolerated('repair', 40)], repair)).toBe(10_000)
    expect(left([tolerated('repair', 10)], repair)).toBe(-20_000)
    expect(left([tolerated('repair', 0)], repair)).toBeLessThanOrEqual(0)
    expect(left([tolerated('repair'), tolerated(UNREACHABLE, 50)], repair, away)).toBe(20_000)
    expect(left([tolerated('repair', 40), tolerated('repair', 35)], repair)).toBe(5_000)
    expect(left([{ operator: 'Exists' }], repair, away)).toBe(Number.POSITIVE_INFINITY)
  })
})
