import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, putNamespace } from '../../api-client.ts'

// Pods and Deployments where controllers and kubelets run beside the server.

let server: ApiServer
const PODS = '/api/v1/namespaces/shop/pods'
const DEPLOYMENTS = '/apis/apps/v1/namespaces/shop/deployments'

beforeEach(async () => {
  server = await startApiServer({ controllers: 'running', now: () => Date.parse('2026-11-20T10:00:00Z') })
  putNamespace(server.store, 'shop')
})
afterEach(() => server.close())

const send = (method: string, path: string, body?: unknown, type = 'application/json') =>
  ask(server.url + path, { method, headers: { 'content-type': type }, ...(body === undefined ? {} : { body }) })
const MERGE = 'application/merge-patch+json'
const pod = (name: string, more: object = {}) => ({
  metadata: { name },
  spec: { containers: [{ name: 'main', image: 'x:1' }], ...more },
})
const bind = (name: string, node: string) =>
  send('POST', `${PODS}/${name}/binding`, { target: { kind: 'Node', name: node } })

describe('a pod', () => {
  test('is created pending, with defaults, whatever status was sent', async () => {
    const { body } = await send('POST', PODS, { ...pod('web'), status: { phase: 'Running' } })
    expect(body).toMatchObject({
      metadata: { generation: 1 },
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst' },
      status: { phase: 'Pending', qosClass: 'BestEffort' },
    })
    expect(body.spec.containers[0]).toMatchObject({ imagePullPolicy: 'IfNotPresent', resources: {} })
  })

  test('comes to a node by a binding, once, and not by a patch', async () => {
    await send('POST', PODS, pod('web'))
    expect(await send('PATCH', `${PODS}/web`, { spec: { nodeName: 'n1' } }, MERGE)).toMatchObject({ code: 422 })
    expect(await bind('web', 'n1')).toMatchObject({ code: 201, body: { status: 'Success' } })
    expect((await send('GET', `${PODS}/web`)).body).toMatchObject({
      spec: { nodeName: 'n1' },
      status: { conditions: [{ type: 'PodScheduled', status: 'True' }] },
    })
    expect(await bind('web', 'n2')).toMatchObject({ code: 409, body: { message: /already assigned to node "n1"/ } })
  })

  test('keeps its spec, but for the images', async () => {
    await send('POST', PODS, pod('web'))
    const image = { spec: { containers: [{ name: 'main', image: 'x:2' }] } }
    const strategic = 'application/strategic-merge-patch+json'
    expect(await send('PATCH', `${PODS}/web`, image, strategic)).toMatchObject({ code: 200 })
    expect(await send('PATCH', `${PODS}/web`, { spec: { hostname: 'a' } }, MERGE)).toMatchObject({
      code: 422,
      body: { message: /pod updates may not change fields other than/ },
    })
  })

  test('has its status from /status alone', async () => {
    await send('POST', PODS, pod('web'))
    await send('PATCH', `${PODS}/web`, { status: { podIP: '10.0.0.1' } }, MERGE)
    expect((await send('GET', `${PODS}/web`)).body.status.podIP).toBeUndefined()
    await send('PATCH', `${PODS}/web/status`, { status: { podIP: '10.0.0.1' }, spec: { hostname: 'a' } }, MERGE)
    const { body } = await send('GET', `${PODS}/web`)
    expect([body.status.podIP, body.spec.hostname]).toEqual(['10.0.0.1', undefined])
  })

  test('goes at once without a node, and with one when its kubelet confirms', async () => {
    await send('POST', PODS, pod('early'))
    await send('DELETE', `${PODS}/early`)
    expect((await send('GET', `${PODS}/early`)).code).toBe(404)
    await send('POST', PODS, pod('web'))
    await bind('web', 'n1')
    const ending = { deletionTimestamp: '2026-11-20T10:00:30Z', deletionGracePeriodSeconds: 30 }
    expect((await send('DELETE', `${PODS}/web`)).body.metadata).toMatchObject(ending)
    const sooner = await send('DELETE', `${PODS}/web`, { gracePeriodSeconds: 5 })
    expect(sooner.body.metadata).toMatchObject({ deletionTimestamp: '2026-11-20T10:00:05Z' })
    const later = await send('DELETE', `${PODS}/web`, { gracePeriodSeconds: 60 })
    expect(later.body.metadata).toEqual(sooner.body.metadata)
    expect((await send('DELETE', `${PODS}/web?gracePeriodSeconds=0`)).code).toBe(200)
    expect((await send('GET', `${PODS}/web`)).code).toBe(404)
  })

  test('is evicted as it is deleted', async () => {
    await send('POST', PODS, pod('web'))
    expect(await send('POST', `${PODS}/web/eviction`, { metadata: { name: 'web' } })).toMatchObject({ code: 201 })
    expect((await send('GET', `${PODS}/web`)).code).toBe(404)
  })

  test('with a finalizer stays until that is taken off', async () => {
    await send('POST', PODS, { ...pod('web'), metadata: { name: 'web', finalizers: ['a.example/b'] } })
    expect((await send('DELETE', `${PODS}/web`)).body.metadata.deletionTimestamp).toBe('2026-11-20T10:00:00Z')
    await send('PATCH', `${PODS}/web`, { metadata: { finalizers: null } }, MERGE)
    expect((await send('GET', `${PODS}/web`)).code).toBe(404)
  })
})

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'main', image: 'x' }] } }
const deployment = { metadata: { name: 'web' }, spec: { selector: { matchLabels: { app: 'web' } }, template } }

describe('a Deployment', () => {
  test('has defaults, a generation of its spec, and a scale of its own', async () => {
    expect((await send('POST', DEPLOYMENTS, deployment)).body).toMatchObject({
      metadata: { generation: 1 },
      spec: { replicas: 1, revisionHistoryLimit: 10, strategy: { rollingUpdate: { maxSurge: '25%' } } },
      status: {},
    })
    const scale = { kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 4 } }
    expect((await send('PATCH', `${DEPLOYMENTS}/web/scale`, scale, MERGE)).body).toMatchObject({
      ...scale,
      status: { replicas: 0, selector: 'app=web' },
    })
    await send('PATCH', `${DEPLOYMENTS}/web/status`, { status: { replicas: 4 } }, MERGE)
    const { body } = await send('GET', `${DEPLOYMENTS}/web`)
    expect(body).toMatchObject({ metadata: { generation: 2 }, spec: { replicas: 4 }, status: { replicas: 4 } })
  })

  test('is kept for the garbage collector where its dependents go first, or stay', async () => {
    await send('POST', DEPLOYMENTS, deployment)
    const foreground = await send('DELETE', `${DEPLOYMENTS}/web`, { propagationPolicy: 'Foreground' })
    expect(foreground.body.metadata).toMatchObject({ finalizers: ['foregroundDeletion'] })
    await send('PATCH', `${DEPLOYMENTS}/web`, { metadata: { finalizers: [] } }, MERGE)
    expect((await send('GET', `${DEPLOYMENTS}/web`)).code).toBe(404)
  })
})

test('a namespace takes nothing new on its way out, and goes when its finalizer is taken off', async () => {
  const path = '/api/v1/namespaces/shop'
  expect((await send('DELETE', path)).body).toMatchObject({ status: { phase: 'Terminating' } })
  expect(await send('POST', PODS, pod('web'))).toMatchObject({
    code: 403,
    body: { message: /unable to create new content in namespace shop because it is being terminated/ },
  })
  const { body } = await send('GET', path)
  await send('PUT', `${path}/finalize`, { ...body, spec: { finalizers: [] } })
  expect((await send('GET', path)).code).toBe(404)
})
