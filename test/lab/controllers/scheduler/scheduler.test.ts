import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '#lab/client/objects.ts'
import { placement, scheduler } from '#lab/controllers/scheduler/scheduler.ts'
import { PaperCluster, podOf } from '../paper-cluster.ts'

function node(name: string, spec: Node['spec'] = {}, labels: Readonly<Record<string, string>> = {}): Node {
  const status = { conditions: [{ type: 'Ready', status: 'True' }] }
  return { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec, status }
}

function withSpec(spec: Partial<Pod['spec']>): Pod {
  const pod = podOf('web-1')
  return { ...pod, spec: { ...pod.spec!, ...spec } }
}

const NODES = [node('node-1'), node('node-2'), node('node-3')]
const TAINT = { key: 'gpu', value: 'yes', effect: 'NoSchedule' }

describe('a pod comes', () => {
  test('to the node after the one that got the last', () => {
    expect(placement(podOf('web-1'), NODES, '')).toEqual({ node: 'node-1' })
    expect(placement(podOf('web-1'), NODES, 'node-1')).toEqual({ node: 'node-2' })
    expect(placement(podOf('web-1'), NODES, 'node-3')).toEqual({ node: 'node-1' })
  })

  test('to no node that is cordoned, tainted, not ready or not what it selects', () => {
    const away: Node = { ...node('node-4'), status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }
    const nodes = [node('node-1', { unschedulable: true }), node('node-2', { taints: [TAINT] }), away, node('node-5')]
    expect(placement(withSpec({ nodeSelector: { disk: 'fast' } }), nodes, '')).toEqual({
      why:
        '0/4 nodes are available: ' +
        "1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated taint {gpu: yes}, " +
        '1 node(s) were not ready, 1 node(s) were unschedulable.',
    })
    expect(placement(podOf('web-1'), nodes, '')).toEqual({ node: 'node-5' })
    expect(placement(podOf('web-1'), [], '')).toEqual({ why: 'no nodes available to schedule pods' })
  })

  test.each([
    { key: 'gpu', operator: 'Equal', value: 'yes', effect: 'NoSchedule' },
    { key: 'gpu', operator: 'Exists' },
    { operator: 'Exists' },
  ])('to a tainted node where it tolerates that: %j', toleration => {
    const pod = withSpec({ tolerations: [toleration] })
    expect(placement(pod, [node('node-1', { taints: [TAINT] })], '')).toEqual({ node: 'node-1' })
  })

  test.each([
    { key: 'gpu', operator: 'Equal', value: 'no', effect: 'NoSchedule' },
    { key: 'gpu', operator: 'Exists', effect: 'NoExecute' },
    { key: 'disk', operator: 'Exists' },
  ])('to none where it tolerates something else: %j', toleration => {
    const pod = withSpec({ tolerations: [toleration] })
    expect(placement(pod, [node('node-1', { taints: [TAINT] })], '')).toHaveProperty('why')
  })

  test('to a node with the labels that it selects, or one of the terms of its affinity', () => {
    const nodes = [node('node-1', {}, { disk: 'slow' }), node('node-2', {}, { disk: 'fast', rank: '3' })]
    expect(placement(withSpec({ nodeSelector: { disk: 'fast' } }), nodes, '')).toEqual({ node: 'node-2' })
    const affinity = (operator: string, values: readonly string[], key = 'disk') => ({
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchExpressions: [{ key, operator, values }] }],
          },
        },
      },
    })
    expect(placement(withSpec(affinity('In', ['fast', 'new'])), nodes, '')).toEqual({ node: 'node-2' })
    expect(placement(withSpec(affinity('NotIn', ['fast'])), nodes, '')).toEqual({ node: 'node-1' })
    expect(placement(withSpec(affinity('Gt', ['2'], 'rank')), nodes, '')).toEqual({ node: 'node-2' })
    expect(placement(withSpec(affinity('DoesNotExist', [], 'rank')), nodes, '')).toEqual({ node: 'node-1' })
  })
})

describe('the scheduler', () => {
  test('spreads pods over the nodes, with an Event for each', () => {
    const cluster = new PaperCluster()
    const { decide } = scheduler()
    for (const one of NODES) cluster.put(one)
    for (let index = 0; index < 9; index++) {
      cluster.put(podOf(`web-${index}`))
      cluster.apply(decide(`default/web-${index}`, cluster) as never)
    }
    const counts = NODES.map(({ metadata }) => {
      return cluster.list<Pod>('Pod').filter(({ spec }) => spec?.nodeName === metadata.name).length
    })
    expect(counts).toEqual([3, 3, 3])
    expect(cluster.notes[0]).toBe('Scheduled: Successfully assigned default/web-0 to node-1')
  })

  test('says once why a pod fits nowhere, and tries again when a node changes', () => {
    const cluster = new PaperCluster()
    const { decide, follows } = scheduler()
    const cordoned = cluster.put(node('node-1', { unschedulable: true }))
    cluster.put(podOf('web-1'))
    cluster.apply(decide('default/web-1', cluster) as never)
    cluster.apply(decide('default/web-1', cluster) as never)
    expect(cluster.notes).toEqual(['FailedScheduling: 0/1 nodes are available: 1 node(s) were unschedulable.'])
    expect(cluster.one<Pod>('Pod', 'default/web-1')?.status?.conditions).toMatchObject([
      { type: 'PodScheduled', status: 'False', reason: 'Unschedulable' },
    ])
    const free = cluster.put(node('node-1'))
    const nodes = follows.find(({ kind }) => kind === 'Node')!
    expect([...nodes.keys!(free, cluster, cordoned)]).toEqual(['default/web-1'])
    expect([...nodes.keys!({ ...free, metadata: { ...free.metadata, resourceVersion: '99' } }, cluster, free)]).toEqual(
      [],
    )
    cluster.apply(decide('default/web-1', cluster) as never)
    expect(cluster.one<Pod>('Pod', 'default/web-1')?.spec?.nodeName).toBe('node-1')
  })

  test('leaves alone what has a node, what is ending, and what another scheduler is to place', () => {
    const cluster = new PaperCluster()
    const { follows } = scheduler()
    const pods = follows.find(({ kind }) => kind === 'Pod')!
    const ending = podOf('web-2', {
      metadata: { namespace: 'default', name: 'web-2', deletionTimestamp: cluster.time() },
    })
    for (const pod of [withSpec({ nodeName: 'node-1' }), ending, withSpec({ schedulerName: 'another' })]) {
      expect([...pods.keys!(pod, cluster)]).toEqual([])
    }
    expect([...pods.keys!(podOf('web-3'), cluster)]).toEqual(['default/web-3'])
  })
})
