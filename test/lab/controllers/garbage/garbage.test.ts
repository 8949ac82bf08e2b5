import { describe, expect, test } from 'vitest'
import type { ObjectKey } from '#lab/client/cluster-client.ts'
import type { ApiObject, OwnerReference } from '#lab/client/objects.ts'
import { garbage } from '#lab/controllers/garbage/garbage.ts'
import type { Decision } from '#lab/controllers/loop/controller.ts'
import { PaperCluster } from '../paper-cluster.ts'

/** Knows what the watches have shown; the API server may have more. */
class Collector {
  readonly seen = new PaperCluster()
  readonly asked: string[] = []
  readonly #stored: readonly ApiObject[]

  constructor(...stored: readonly ApiObject[]) {
    this.#stored = stored
  }

  readonly #controller = garbage({
    get: async <T extends ApiObject>(kind: string, { namespace, name }: ObjectKey) => {
      this.asked.push(`${kind} ${namespace ?? ''}/${name}`)
      if (name === 'lost') throw new Error('the API server is away')
      const found = this.#stored.find(it => it.kind === kind && it.metadata.name === name)
      return found as T | undefined
    },
  })

  keys(kind: string, object: ApiObject): readonly string[] {
    const interest = this.#controller.follows.find(it => it.kind === kind)
    return [...(interest?.keys?.(object, this.seen) ?? [])]
  }

  /** `delete web-1`, … */
  async decided(key: string): Promise<readonly string[]> {
    const { writes } = (await this.#controller.decide(key, this.seen)) as Decision
    return writes.map(write => `${write.do} ${'object' in write ? write.object.metadata.name : ''}`.trim())
  }
}

const SET = { apiVersion: 'apps/v1', kind: 'ReplicaSet' }

function pod(name: string, ...ownerReferences: readonly OwnerReference[]): ApiObject {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { namespace: 'default', name, ownerReferences } }
}

function set(more: Partial<ApiObject['metadata']> = {}): ApiObject {
  return { ...SET, metadata: { namespace: 'default', name: 'web', ...more } }
}

function by({ apiVersion = '', kind = '', metadata }: ApiObject): OwnerReference {
  return { apiVersion, kind, name: metadata.name ?? '', uid: metadata.uid ?? '', blockOwnerDeletion: true }
}

describe('an owned object', () => {
  test('stays while its owner is seen, and the API server is not asked', async () => {
    const collector = new Collector()
    const owner = collector.seen.put(set())
    collector.seen.put(pod('web-1', by(owner)))
    expect([await collector.decided('Pod default/web-1'), collector.asked]).toEqual([[], []])
  })

  test('stays where the owner is only not seen as yet, and goes where the API server does not have it either', async () => {
    const owner = set({ uid: 'uid-of-web' })
    for (const [collector, writes] of [
      [new Collector(owner), []],
      [new Collector(), ['delete web-1']],
    ] as const) {
      collector.seen.put(pod('web-1', by(owner)))
      expect(await collector.decided('Pod default/web-1')).toEqual(writes)
      expect(collector.asked).toEqual(['ReplicaSet default/web'])
    }
  })

  test('goes where another object has the name of its owner now', async () => {
    const collector = new Collector(set({ uid: 'another' }))
    collector.seen.put(set())
    collector.seen.put(pod('web-1', by(set({ uid: 'uid-of-web' }))))
    expect(await collector.decided('Pod default/web-1')).toEqual(['delete web-1'])
  })

  test('stays where the API server does not answer', async () => {
    const collector = new Collector()
    collector.seen.put(pod('web-1', by(set({ name: 'lost', uid: 'uid-of-lost' }))))
    await expect(collector.decided('Pod default/web-1')).rejects.toThrow('the API server is away')
  })

  test.each([
    ['a kind that is not known here', { apiVersion: 'batch/v1', kind: 'Job' }],
    ['the same kind in another group', { apiVersion: 'serving.knative.dev/v1', kind: 'Service' }],
  ])('stays where its owner is of %s', async (_, kind) => {
    const collector = new Collector()
    collector.seen.put(pod('web-1', { ...kind, name: 'web', uid: 'uid-of-web' }))
    expect([await collector.decided('Pod default/web-1'), collector.asked]).toEqual([[], []])
  })

  test('that stands in no namespace stays where its owner would stand in one', async () => {
    const collector = new Collector()
    const ownerReferences = [by(set({ uid: 'uid-of-web' }))]
    collector.seen.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', ownerReferences } })
    expect(await collector.decided('Node node-1')).toEqual([])
  })

  test('in a namespace goes with an owner that stands in none', async () => {
    const collector = new Collector()
    const owner = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', uid: 'uid-of-node' } }
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
    const metadata = { namespace: 'kube-node-lease', name: 'node-1', ownerReferences: [by(owner)] }
    collector.seen.put({ ...lease, metadata })
    expect(await collector.decided('Lease kube-node-lease/node-1')).toEqual(['delete node-1'])
    expect(collector.asked).toEqual(['Node /node-1'])
  })
})

describe('a change concerns', () => {
  test('all that an object owned, of each kind, when it has gone', () => {
    const collector = new Collector()
    const owner = collector.seen.put(set())
    collector.seen.put(pod('web-1', by(owner)))
    collector.seen.put(pod('db-1'))
    collector.seen.put({ ...pod('web', by(owner)), apiVersion: 'v1', kind: 'ConfigMap' })
    expect(collector.keys('ReplicaSet', owner)).toEqual([])
    collector.seen.remove(owner)
    expect([...collector.keys('ReplicaSet', owner)].sort()).toEqual(['ConfigMap default/web', 'Pod default/web-1'])
  })

  test('an owner that waits for the object to go first', async () => {
    const collector = new Collector()
    const owner = collector.seen.put(set({ deletionTimestamp: 'now', finalizers: ['foregroundDeletion'] }))
    const web = collector.seen.put(pod('web-1', by(owner)))
    expect(collector.keys('ReplicaSet', owner)).toEqual(['ReplicaSet default/web'])
    expect(await collector.decided('ReplicaSet default/web')).toEqual(['delete web-1'])
    collector.seen.remove(web)
    expect(collector.keys('Pod', web)).toEqual(['ReplicaSet default/web'])
    expect(await collector.decided('ReplicaSet default/web')).toEqual(['patch'])
  })

  test('nothing where the object is an Event, or neither owns nor is owned', () => {
    const collector = new Collector()
    expect(collector.keys('Event', pod('web-1', by(set())))).toEqual([])
    expect(collector.keys('Pod', collector.seen.put(pod('web-1')))).toEqual([])
  })
})
