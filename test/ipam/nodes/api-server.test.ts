import { expect, test } from 'vitest'
import { clusterRanges } from '#ipam/nodes/blocks/cluster-ranges.ts'
import { RangesController } from '#ipam/nodes/ranges-controller.ts'
import { recordStore } from '#ipam/nodes/record/record-store.ts'
import { setPodCIDRs, uidOfNode } from '#kubernetes/writes/node-cidrs.ts'
import { StoredText } from '#kubernetes/writes/stored-text.ts'
import { systemClock } from '#system/clock.ts'
import type { Cidr } from '#values/cidr.ts'
import { served } from '../../kubernetes/writes/served.ts'

type Served = Awaited<ReturnType<typeof served>>

function controller({ server, requests }: Served): RangesController {
  const decoded = clusterRanges({ clusterCidr: '10.244.0.0/16,fd00:10:244::/48' })
  if (!decoded.ok) throw new Error(decoded.problems.join())
  return new RangesController({
    ranges: decoded.ranges,
    graceMs: 60_000,
    store: recordStore(new StoredText({ ...requests, namespace: 'kube-system', name: 'node-ranges', key: 'record' })),
    nodes: {
      list: async () =>
        server.store.list('Node').map(({ metadata, spec }) => ({
          name: metadata.name!,
          uid: metadata.uid!,
          podCIDRs: (spec as { podCIDRs?: Cidr[] } | undefined)?.podCIDRs ?? [],
          deleting: false,
        })),
      uidOf: name => uidOfNode(requests, name),
      setPodCIDRs: patch => setPodCIDRs(requests, patch),
    },
    clock: systemClock,
    random: Math.random,
  })
}

test('three controllers at once on one API server: each node gets blocks of its own, once', async () => {
  const api = await served()
  for (let i = 0; i < 30; i++) {
    api.server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: `node-${i}` } })
  }
  const controllers = [controller(api), controller(api), controller(api)]
  for (let i = 0; i < 3; i++) await Promise.all(controllers.map(one => one.round()))
  const given = api.server.store.list('Node').flatMap(({ spec }) => (spec as { podCIDRs: string[] }).podCIDRs)
  expect(given).toHaveLength(60)
  expect(new Set(given).size).toBe(60)
  const quiet = await controllers[1]!.round()
  expect(quiet).toMatchObject({ recordWrites: 0, set: [], refused: [], failed: [], findings: [] })
  await api.close()
})

test('a record that cannot be read is never overwritten', async () => {
  const api = await served()
  const metadata = { name: 'node-ranges', namespace: 'kube-system' }
  api.server.store.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata,
    data: { record: 'revision 1\nlast -\noops\n' },
  })
  api.server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n' } })
  await expect(controller(api).round()).rejects.toThrow(
    'the record of node ranges cannot be read: line 3: "oops" is not a node\'s name, uid and blocks',
  )
  const [kept] = api.server.store.list('ConfigMap')
  expect(kept).toMatchObject({ data: { record: 'revision 1\nlast -\noops\n' } })
  await api.close()
})
