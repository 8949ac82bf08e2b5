import { expect, test } from 'vitest'
import type { Namespace } from '#lab/client/objects.ts'
import { namespaceDecision } from '#lab/controllers/namespaces/namespaces.ts'
import { podOf } from '../paper-cluster.ts'

const SHOP: Namespace = {
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'shop', deletionTimestamp: '2026-03-01T12:00:00Z' },
  spec: { finalizers: ['kubernetes', 'other'] },
}

test('what is in a namespace goes first, and is looked at again until it has gone', () => {
  const ending = podOf('web-2', { metadata: { namespace: 'shop', deletionTimestamp: '2026-03-01T12:00:00Z' } })
  const pod = podOf('web-1', { metadata: { namespace: 'shop' } })
  expect(namespaceDecision(SHOP, [pod, ending])).toEqual({ writes: [{ do: 'delete', object: pod }], againMs: 250 })
  expect(namespaceDecision(SHOP, [ending])).toEqual({ writes: [], againMs: 250 })
})

test('then our finalizer is taken off, and no other', () => {
  const object = { ...SHOP, spec: { finalizers: ['other'] } }
  expect(namespaceDecision(SHOP, []).writes).toEqual([{ do: 'replace', object, subresource: 'finalize' }])
  expect(namespaceDecision(object, []).writes).toEqual([])
})
