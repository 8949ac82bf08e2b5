import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { PageFeed } from '#page/feed.ts'
import { found, searchIn } from '#page/search.ts'
import type { ServiceSource } from '#page/views/services.ts'
import { serviceSource } from '#proxy/agent/page/services.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { smallCluster } from './clusters.ts'

function source(objects: readonly ClusterObject[]): ServiceSource {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  const lane = {
    refused: [{ owner: 'shop/empty/tcp', unit: 'u', error: new Error('no') }],
    draft: { nodeFacts: { thisNode: { nodeName: 'here' } } },
  }
  return serviceSource({ cluster, lanes: [lane] } as never, new PageFeed())
}

const shop = source(smallCluster())
const names = (query: string): readonly string[] =>
  found(searchIn(new URLSearchParams(query)), shop).map(({ name }) => name.slice('shop/'.length))

describe('a search for Services', () => {
  test.each([
    ['', ['elsewhere', 'empty', 'headless', 'web']],
    ['q=EMP', ['empty']],
    ['q=shop/web', ['web']],
    ['q=loadbalancer', ['web']],
    ['q=10.96.0.1', ['empty', 'web']],
    ['q=fd00:96::', ['web']],
    ['q=192.0.2.10', ['web']],
    ['q=30080', ['web']],
    ['q=53/udp', ['web']],
    ['q=dns', ['web']],
    // Of an endpoint.
    ['q=10.244.2.3', ['web']],
    ['q=10.244.2.3:8080', ['web']],
    ['q=[fd00:244:1::2]:8080', ['web']],
    // Each word must be found.
    ['q=web+10.96.0.11', []],
    ['q=shop+10.96.0.11', ['empty']],
    ['show=unready', ['empty', 'headless']],
    ['show=local', ['web']],
    ['show=refused', ['empty']],
    ['show=refused&q=web', []],
    ['show=constructor', ['elsewhere', 'empty', 'headless', 'web']],
    ['q=%3Cscript%3E', []],
  ])('%j finds %j', (query, expected) => {
    expect(names(query)).toEqual(expected)
  })
})
