import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type AgentAnswer, answering, objectsOf, type RepairAnswer } from '#proxy/agent/servers/local-server.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { askLocalHttp, serveLocalHttp } from '#system/local-http.ts'
import { accepted } from '../../../config/parsing.ts'
import { captureLog } from '../../../support/captured-log.ts'
import { cidr, endpoint, node, service, slice } from '../../../support/objects.ts'

const OBJECTS = [
  service('shop/web', ['10.96.0.10']),
  slice('shop/web-1', 'shop/web', [endpoint('10.244.1.3')]),
  node('here', { podCIDRs: [cidr('10.244.1.0/24')] }),
  { kind: 'ServiceCIDR', name: 'kubernetes' as never, cidrs: [cidr('10.96.0.0/12')] } as const,
]

function clusterWith(objects: typeof OBJECTS): Cluster {
  const cluster = new Cluster()
  for (const object of objects) cluster.apply({ type: 'put', object })
  for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) cluster.apply({ type: 'synced', kind })
  return cluster
}

describe('an agent that is asked', () => {
  test('gives its cluster, from which the same cluster is made', () => {
    const cluster = clusterWith(OBJECTS)
    const again = new Cluster()
    for (const object of objectsOf(cluster)) again.apply({ type: 'put', object })
    expect([...again.services()]).toEqual([...cluster.services()])
    expect(again.slices('shop/web' as never, 'ipv4')).toEqual(cluster.slices('shop/web' as never, 'ipv4'))
    expect([again.node, again.serviceRanges]).toEqual([cluster.node, cluster.serviceRanges])
  })

  test('says which node it is for, with which settings, and mends where that is asked', async () => {
    const { settings, configuration } = await accepted({ argv: ['--proxy-mode=nftables'] })
    let reported: (report: object) => void = () => {}
    const agent = {
      cluster: clusterWith(OBJECTS),
      lanes: [{ family: 'ipv4', refused: [{ owner: 'a/b/tcp', unit: 'u', error: new Error('no') }] }],
      observe: (observer: { reported: typeof reported }) => {
        reported = observer.reported
      },
      distrust: () => {
        const units = { added: 1, changed: 2, removed: 0 }
        // A sync that was under way has not looked.
        queueMicrotask(() => reported({ family: 'ipv4', units, looked: false }))
        queueMicrotask(() => reported({ family: 'ipv4', units, looked: true }))
      },
    }
    const answer = answering({
      settings,
      configuration,
      nodeName: 'here',
      agent: agent as never,
      log: captureLog().log,
    })
    const ask = async (method: string, path: string) => JSON.parse((await answer({ method, path })).body) as unknown
    expect(await ask('GET', '/agent')).toMatchObject({
      nodeName: 'here',
      isComplete: true,
    } satisfies Partial<AgentAnswer>)
    expect(((await ask('GET', '/agent')) as AgentAnswer).settings).toEqual(JSON.parse(JSON.stringify(settings)))
    expect(await ask('GET', '/refused')).toEqual([
      { ipFamily: 'IPv4', servicePort: 'a/b/tcp', unit: 'u', reason: 'no' },
    ])
    expect(await ask('POST', '/repair')).toEqual({ families: [{ family: 'ipv4', units: 3 }] } satisfies RepairAnswer)
    expect((await answer({ method: 'POST', path: '/cluster' })).status).toBe(404)
  })
})

describe('the socket', () => {
  const folder = mkdtempSync(join(tmpdir(), 'local-http-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  test('is for root alone, is the only one, and goes with its server', async () => {
    const path = join(folder, 'run', 'a.sock')
    const server = await serveLocalHttp(path, ({ path: asked }) => ({
      status: asked === '/a' ? 200 : 404,
      body: '{"a":1}',
    }))
    const question = { socket: path, method: 'GET', withinMs: 5000 } as const
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(await askLocalHttp({ ...question, path: '/a' })).toEqual({ a: 1 })
    await expect(askLocalHttp({ ...question, path: '/b' })).rejects.toThrow('it answered 404')
    await expect(serveLocalHttp(path, () => ({ status: 200, body: '' }))).rejects.toThrow('another process serves at')
    await server.close()
    await expect(askLocalHttp({ ...question, path: '/a' })).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
