import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Deployment, ReplicaSet } from '#lab/client/objects.ts'
import { proportional, scaled, wasScaled } from '#lab/controllers/deployments/scaling.ts'
import { deploymentOf } from './rollout.ts'

const PREFIX = 'deployment.kubernetes.io/'

interface SetOptions {
  readonly replicas: number
  readonly desired?: number
  readonly most?: number
  readonly revision?: number
  readonly created?: string
}

function setOf(
  name: string,
  { replicas, desired, most, revision, created = '2026-03-01T12:00:00Z' }: SetOptions,
): ReplicaSet {
  const annotations = {
    ...(desired !== undefined && { [`${PREFIX}desired-replicas`]: String(desired) }),
    ...(most !== undefined && { [`${PREFIX}max-replicas`]: String(most) }),
    ...(revision !== undefined && { [`${PREFIX}revision`]: String(revision) }),
  }
  const metadata = { namespace: 'default', name, annotations, creationTimestamp: created }
  return { apiVersion: 'apps/v1', kind: 'ReplicaSet', metadata, spec: { replicas, selector: {} } } as ReplicaSet
}

function wanting(replicas: number, maxSurge = 3): Deployment {
  return deploymentOf(replicas, { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable: 1 } } })
}

/** How many each has after the writes. */
function rescaled(deployment: Deployment, sets: readonly ReplicaSet[]): readonly ReplicaSet[] {
  const written = proportional(deployment, sets).map(write =>
    'object' in write ? (write.object as ReplicaSet) : undefined,
  )
  return sets.map(set => written.find(it => it?.metadata.name === set.metadata.name) ?? set)
}

function counts(sets: readonly ReplicaSet[]): readonly (number | undefined)[] {
  return sets.map(({ spec }) => spec?.replicas)
}

describe('a ReplicaSet', () => {
  test('is written where its number or what the Deployment wants differs, with an Event only for the number', () => {
    const set = setOf('web-1', { replicas: 3, desired: 3, most: 6 })
    expect(scaled(wanting(3), set, 3)).toEqual([])
    const [annotated] = scaled(wanting(4), set, 3)
    expect(annotated).not.toHaveProperty('note')
    expect(annotated).toMatchObject({ object: { metadata: { annotations: { [`${PREFIX}max-replicas`]: '7' } } } })
    expect(scaled(wanting(3), set, 1)).toMatchObject([
      { note: { message: 'Scaled down replica set web-1 from 3 to 1' }, object: { spec: { replicas: 1 } } },
    ])
  })

  test('shows that its Deployment was scaled as long as it has pods', () => {
    expect(wasScaled(wanting(4), [setOf('web-1', { replicas: 3, desired: 3 })])).toBe(true)
    expect(wasScaled(wanting(3), [setOf('web-1', { replicas: 2, desired: 3 })])).toBe(false)
    expect(wasScaled(wanting(4), [setOf('web-1', { replicas: 0, desired: 3 })])).toBe(false)
    expect(wasScaled(wanting(4), [setOf('web-1', { replicas: 3 })])).toBe(false)
  })
})

describe('of a Deployment that was scaled', () => {
  const two = (first: number, second: number) => [
    setOf('new', { replicas: first, desired: 10, most: 13, created: '2026-03-01T13:00:00Z' }),
    setOf('old', { replicas: second, desired: 10, most: 13 }),
  ]

  test.each<[string, number, readonly ReplicaSet[], readonly number[]]>([
    [
      'the only ReplicaSet with pods gets all',
      5,
      [setOf('new', { replicas: 0 }), setOf('old', { replicas: 3 })],
      [0, 5],
    ],
    ['each gets its share', 15, two(5, 8), [7, 11]],
    ['each gives its share', 5, two(5, 8), [3, 5]],
    ['none keeps any where none is wanted', 0, two(5, 8), [0, 0]],
    ['of two alike the newer grows more', 11, two(6, 6), [8, 6]],
    ['of two alike the older shrinks more', 8, two(6, 6), [6, 5]],
    [
      'what is left over goes to the largest where nothing is known of before',
      10,
      [setOf('a', { replicas: 4 }), setOf('b', { replicas: 6 })],
      [4, 9],
    ],
  ])('%s', (_, replicas, sets, expected) => {
    expect(counts(rescaled(wanting(replicas), sets))).toEqual(expected)
  })

  test('and has no pods, the latest revision gets them, also where it is paused with another template', () => {
    const sets = [1, 3, 2].map(revision => setOf(`web-${revision}`, { replicas: 0, revision }))
    expect(counts(rescaled(wanting(2), sets))).toEqual([0, 2, 0])
  })

  test('there are never more pods than may be, none is below zero, and the next look finds nothing to do', () => {
    const replicas = fc.nat(40)
    const set = fc.record({ replicas, desired: replicas })
    fc.assert(
      fc.property(fc.array(set, { minLength: 2, maxLength: 5 }), replicas, fc.nat(10), (options, wanted, room) => {
        const most = options.reduce((sum, it) => sum + it.replicas, room)
        const sets = options.map((it, index) => setOf(`web-${index}`, { ...it, most }))
        const next = rescaled(wanting(wanted), sets)
        const active = options.filter(it => it.replicas > 0).length
        const sum = counts(next).reduce<number>((total, count) => total + (count ?? 0), 0)
        expect(Math.min(...counts(next).map(count => count ?? 0))).toBeGreaterThanOrEqual(0)
        expect(sum).toBe(active <= 1 || wanted === 0 ? wanted : wanted + 3)
        expect(wasScaled(wanting(wanted), next)).toBe(false)
      }),
    )
  })
})
