import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '#lab/client/objects.ts'
import { tolerates, unfit } from '#lab/controllers/scheduler/fits.ts'
import { podOf } from '../paper-cluster.ts'

type Spec = Partial<NonNullable<Pod['spec']>>

function pod(spec: Spec = {}): Pod {
  const plain = podOf('web-1')
  return { ...plain, spec: { ...plain.spec!, ...spec } }
}

function node(spec: Node['spec'] = {}, ready: string | undefined = 'True'): Node {
  const conditions = ready === '' ? [] : [{ type: 'Ready', status: ready }]
  const metadata = { name: 'node-1', labels: { disk: 'fast', rank: '3' } }
  return { apiVersion: 'v1', kind: 'Node', metadata, spec, status: { conditions } }
}

describe('a toleration', () => {
  const taint = { key: 'gpu', value: 'yes', effect: 'NoSchedule' }

  test.each<[string, Parameters<typeof tolerates>[0], boolean]>([
    ['of the key and the value', { key: 'gpu', value: 'yes' }, true],
    ['of another value', { key: 'gpu', value: 'no' }, false],
    ['of no value', { key: 'gpu' }, false],
    ['of the key, whatever its value', { key: 'gpu', operator: 'Exists' }, true],
    ['of each taint', { operator: 'Exists' }, true],
    ['of each taint with another effect', { operator: 'Exists', effect: 'NoExecute' }, false],
    ['without a key that must be equal', { value: 'yes' }, false],
    ['of an empty effect', { key: 'gpu', operator: 'Exists', effect: '' }, true],
  ])('%s: %j is enough: %s', (_, toleration, isEnough) => {
    expect(tolerates(toleration, taint)).toBe(isEnough)
  })

  test('without a value is one of a taint without a value', () => {
    expect(tolerates({ key: 'gpu' }, { key: 'gpu', effect: 'NoSchedule' })).toBe(true)
  })
})

describe('a pod fits', () => {
  test('where a taint only asks it to prefer another node', () => {
    expect(unfit(pod(), node({ taints: [{ key: 'a', effect: 'PreferNoSchedule' }] }))).toBeUndefined()
  })

  test('only where it tolerates all the taints of a node', () => {
    const taints = ['a', 'b'].map(key => ({ key, effect: 'NoExecute' }))
    const one = { key: 'a', operator: 'Exists' }
    expect(unfit(pod({ tolerations: [one] }), node({ taints }))).toBe('node(s) had untolerated taint {b: }')
    expect(unfit(pod({ tolerations: [one, { ...one, key: 'b' }] }), node({ taints }))).toBeUndefined()
  })

  test.each([
    ['is cordoned', 'unschedulable', node({ unschedulable: true })],
    ['says that it is not ready', 'not-ready', node({}, 'False')],
    ['is new', 'not-ready', node({}, '')],
    ['is silent', 'unreachable', node({}, 'Unknown')],
  ])('on a node that %s where it tolerates %s, also before that taint is there', (_, key, away) => {
    const tolerating = (name: string) =>
      pod({ tolerations: [{ key: `node.kubernetes.io/${name}`, operator: 'Exists', effect: 'NoSchedule' }] })
    expect(unfit(pod(), away)).toMatch(/^node\(s\) were /)
    expect(unfit(tolerating('disk-pressure'), away)).toMatch(/^node\(s\) were /)
    expect(unfit(tolerating(key), away)).toBeUndefined()
  })
})

describe('of the terms of an affinity', () => {
  const fast = { key: 'disk', operator: 'In', values: ['fast'] }
  const slow = { ...fast, values: ['slow'] }
  const named = (...values: readonly string[]) => ({ key: 'metadata.name', operator: 'In', values })

  test.each<[string, readonly object[], boolean]>([
    ['one must hold', [{ matchExpressions: [slow] }, { matchExpressions: [fast] }], true],
    ['all parts of one must hold', [{ matchExpressions: [fast, slow] }], false],
    ['the name of the node may be one', [{ matchFields: [named('node-1')] }], true],
    ['name and labels must both hold', [{ matchFields: [named('node-1')], matchExpressions: [slow] }], false],
    ['an empty one takes no node', [{}], false],
    ['none takes no node', [], false],
  ])('%s', (_, nodeSelectorTerms, holds) => {
    const required = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } }
    const wanting = pod({ affinity: { nodeAffinity: required } } as Spec)
    expect(unfit(wanting, node()) === undefined).toBe(holds)
  })

  test('none counts where the node selector does not hold', () => {
    const required = {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [fast] }] },
    }
    const wanting = pod({ nodeSelector: { rank: '4' }, affinity: { nodeAffinity: required } } as Spec)
    expect(unfit(wanting, node())).toBe("node(s) didn't match Pod's node affinity/selector")
  })
})
