import { describe, expect, test } from 'vitest'
import type { Deployment, PodTemplate, ReplicaSet } from '#lab/client/objects.ts'
import { replicaSetFor, TEMPLATE_HASH, templateHash, withHash } from '#lab/controllers/deployments/template.ts'
import { deploymentOf } from './rollout.ts'

const deployment = deploymentOf(1)
const template = deployment.spec!.template

function setOf(name: string, of: PodTemplate, created = '2026-03-01T12:00:00Z', labels = {}): ReplicaSet {
  const metadata = { namespace: 'default', name, creationTimestamp: created, labels }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata,
    spec: { replicas: 0, selector: {}, template: of },
  } as ReplicaSet
}

function withImage(image: string): PodTemplate {
  return { ...template, spec: { containers: [{ name: 'main', image }] } }
}

describe('the hash of a template', () => {
  const hash = templateHash(template)

  test('is ten letters of which no word can be made', () => {
    expect(hash).toMatch(/^[b-df-hj-np-tv-z2-9]{10}$/)
  })

  test('is the same whatever order its fields have, with the hash in it, and with what says nothing', () => {
    const turned = { spec: { containers: [{ image: 'v1', name: 'main' }] }, metadata: template.metadata! }
    const empty = { ...template, spec: { ...template.spec!, nodeSelector: null } } as unknown as PodTemplate
    const created = {
      ...template,
      metadata: { ...template.metadata, creationTimestamp: null },
    } as unknown as PodTemplate
    for (const same of [turned, empty, created, withHash(template, hash)]) expect(templateHash(same)).toBe(hash)
  })

  test('is another one for each other template, also where only the order of containers differs', () => {
    const two = (...names: readonly string[]) => ({ ...template, spec: { containers: names.map(name => ({ name })) } })
    const labelled = { ...template, metadata: { labels: { app: 'web', tier: 'front' } } }
    const others = [template, withImage('v2'), labelled, two('a', 'b'), two('b', 'a')]
    expect(new Set(others.map(templateHash)).size).toBe(5)
  })
})

describe('the ReplicaSet of a template', () => {
  const found = (of: Deployment, ...sets: readonly ReplicaSet[]) => replicaSetFor(of, sets)?.metadata.name

  test('is the one that has it, the oldest of several, then the first by name', () => {
    const [old, later] = ['2026-03-01T11:00:00Z', '2026-03-01T12:00:00Z']
    expect(found(deployment, setOf('c', template, later), setOf('b', template, old), setOf('a', template, later))).toBe(
      'b',
    )
    expect(found(deployment, setOf('b', template), setOf('a', template))).toBe('a')
    expect(found(deployment, setOf('a', withImage('v2')))).toBeUndefined()
    expect(found(deployment)).toBeUndefined()
  })

  test('may have more in it, where its label says that it was made for this one', () => {
    const filled = { ...template, spec: { ...template.spec!, dnsPolicy: 'ClusterFirst' } }
    expect(found(deployment, setOf('a', filled))).toBeUndefined()
    const label = { [TEMPLATE_HASH]: templateHash(template) }
    expect(found(deployment, setOf('a', filled, '2026-03-01T12:00:00Z', label))).toBe('a')
  })
})
