import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { ask, putNamespace, service } from '../../api-client.ts'

// Server-side apply: PATCH with application/apply-patch+yaml.

let server: ApiServer
let now: number
const CART = '/api/v1/namespaces/shop/services/cart'

beforeEach(async () => {
  now = Date.parse('2026-11-20T10:00:00Z')
  server = await startApiServer({ now: () => now })
  putNamespace(server.store, 'shop')
})
afterEach(() => server.close())

const request = (method: string, path: string, body: unknown, type = 'application/json') =>
  ask(server.url + path, { method, body, headers: { 'content-type': type, 'user-agent': 'kubectl/v1.36.0' } })

function apply(manager: string, more: Record<string, unknown>, query = '') {
  const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'cart' }, ...more }
  return request('PATCH', `${CART}?fieldManager=${manager}${query}`, body, 'application/apply-patch+yaml')
}

const owners = (answer: { body: { metadata: { managedFields: { manager: string; operation: string }[] } } }) =>
  answer.body.metadata.managedFields.map(({ manager, operation }) => `${manager} ${operation}`)

/** A Service needs a port. */
const PORT = { spec: { ports: [{ port: 80 }] } }

describe('an apply', () => {
  test('makes what is not there, and says what its manager owns', async () => {
    const made = await apply('one', { spec: { selector: { app: 'cart' }, ports: [{ port: 80, name: 'http' }] } })
    expect(made).toMatchObject({ code: 201, body: { spec: { type: 'ClusterIP', clusterIP: '10.96.1.1' } } })
    expect(made.body.metadata.managedFields).toEqual([
      {
        manager: 'one',
        operation: 'Apply',
        apiVersion: 'v1',
        time: '2026-11-20T10:00:00Z',
        fieldsType: 'FieldsV1',
        fieldsV1: {
          'f:spec': {
            'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:name': {}, 'f:port': {} } },
            'f:selector': {},
          },
        },
      },
    ])
  })

  test('again changes nothing, not even the resourceVersion', async () => {
    const first = await apply('one', { spec: { ports: [{ port: 80 }] } })
    now += 60_000
    const again = await apply('one', { spec: { ports: [{ port: 80 }] } })
    expect(again.code).toBe(200)
    expect(again.body).toEqual(first.body)
  })

  test('removes what its manager no longer applies, and nothing of the others', async () => {
    await apply('one', {
      metadata: { name: 'cart', labels: { a: '1', b: '2' } },
      spec: {
        externalIPs: ['192.0.2.1'],
        ports: [
          { port: 80, name: 'a' },
          { port: 81, name: 'b' },
        ],
      },
    })
    await apply('two', { metadata: { name: 'cart', labels: { c: '3' } } })
    const { body } = await apply('one', {
      metadata: { name: 'cart', labels: { b: '2' } },
      spec: { ports: [{ port: 81, name: 'b' }] },
    })
    expect(body.metadata.labels).toEqual({ b: '2', c: '3' })
    expect(body.spec).not.toHaveProperty('externalIPs')
    expect(body.spec.ports.map((it: { port: number }) => it.port)).toEqual([81])
  })

  test('leaves what another manager owns, too', async () => {
    await apply('one', { metadata: { name: 'cart', labels: { shared: 'x', mine: 'y' } }, ...PORT })
    await apply('two', { metadata: { name: 'cart', labels: { shared: 'x' } } })
    const { body } = await apply('one', PORT)
    expect(body.metadata.labels).toEqual({ shared: 'x' })
  })

  test('leaves a port of which another manager owns a field', async () => {
    await apply('one', {
      spec: {
        ports: [
          { port: 80, name: 'a' },
          { port: 81, name: 'b' },
        ],
      },
    })
    await apply('two', { spec: { ports: [{ port: 80, name: 'a', appProtocol: 'http' }] } })
    const { body } = await apply('one', { spec: { ports: [{ port: 81, name: 'b' }] } })
    expect(body.spec.ports).toEqual([
      { port: 80, protocol: 'TCP', targetPort: 80, name: 'a', appProtocol: 'http' },
      { port: 81, protocol: 'TCP', targetPort: 81, name: 'b' },
    ])
  })

  test('of a field of another manager is a conflict, and with force a change of owner', async () => {
    await apply('one', { spec: { type: 'NodePort', ports: [{ port: 80 }] } })
    const refused = await apply('two', { spec: { type: 'LoadBalancer' } })
    expect(refused).toMatchObject({
      code: 409,
      body: {
        reason: 'Conflict',
        message: 'Apply failed with 1 conflict: conflict with "one": .spec.type',
        details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.type' }] },
      },
    })
    expect((await ask(server.url + CART)).body.spec.type).toBe('NodePort')
    const forced = await apply('two', { spec: { type: 'LoadBalancer' } }, '&force=true')
    expect(forced.body.spec.type).toBe('LoadBalancer')
    const back = await apply('one', { spec: { type: 'NodePort', ports: [{ port: 80 }] } })
    expect(back.body.message).toBe('Apply failed with 1 conflict: conflict with "two": .spec.type')
  })

  test('of the same value is shared', async () => {
    await apply('one', { spec: { type: 'NodePort', ports: [{ port: 80 }] } })
    expect(owners(await apply('two', { spec: { type: 'NodePort' } }))).toEqual(['one Apply', 'two Apply'])
  })

  test('names every conflict, by manager', async () => {
    await apply('one', { spec: { type: 'NodePort', ports: [{ port: 80, targetPort: 8080 }] } })
    const refused = await apply('two', { spec: { type: 'ClusterIP', ports: [{ port: 80, targetPort: 9090 }] } })
    expect(refused.body.message).toBe(
      'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.ports[port=80,protocol="TCP"].targetPort\n- .spec.type',
    )
  })

  test('conflicts with a PUT, which owns what it changed', async () => {
    const made = await request('POST', '/api/v1/namespaces/shop/services', {
      metadata: { name: 'cart' },
      spec: { ports: [{ port: 80 }], sessionAffinity: 'ClientIP' },
    })
    expect(owners(made)).toEqual(['kubectl Update'])
    const refused = await apply('one', { spec: { sessionAffinity: 'None' } })
    expect(refused.body.message).toBe(
      'Apply failed with 1 conflict: conflict with "kubectl" using v1: .spec.sessionAffinity',
    )
  })

  test('loses to a merge patch, and then conflicts with it', async () => {
    await apply('one', { metadata: { name: 'cart', labels: { a: '1' } }, ...PORT })
    const patch = { metadata: { labels: { a: '2' } } }
    const patched = await request('PATCH', `${CART}?fieldManager=hand`, patch, 'application/merge-patch+json')
    expect(owners(patched)).toEqual(['one Apply', 'hand Update'])
    const refused = await apply('one', { metadata: { name: 'cart', labels: { a: '1' } }, ...PORT })
    expect(refused.body.message).toMatch(/conflict with "hand" using v1: \.metadata\.labels\.a$/)
  })

  test('to what was stored without managers conflicts with whatever was before', async () => {
    server.store.put(service('cart', { type: 'NodePort' }))
    const refused = await apply('one', { spec: { type: 'LoadBalancer' } })
    expect(refused.body.message).toMatch(/conflict with "before-first-apply" using v1: \.spec\.type$/)
    const forced = await apply('one', { spec: { type: 'LoadBalancer' } }, '&force=true')
    expect(owners(forced).sort()).toEqual(['before-first-apply Update', 'one Apply'])
  })

  test('of the status alone is another entry', async () => {
    await apply('one', { spec: { ports: [{ port: 80 }] } })
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } }
    const body = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'cart' }, spec: { type: 'NodePort' }, status }
    const answer = await request('PATCH', `${CART}/status?fieldManager=one`, body, 'application/apply-patch+yaml')
    expect(answer.body).toMatchObject({ status, spec: { type: 'ClusterIP' } })
    expect(answer.body.metadata.managedFields).toMatchObject([
      { manager: 'one' },
      { manager: 'one', subresource: 'status' },
    ])
  })

  test('of a set adds to it, and takes away its own', async () => {
    const body = (podCIDRs: readonly string[]) => ({ apiVersion: 'v1', kind: 'Node', spec: { podCIDRs } })
    const applyNode = (manager: string, podCIDRs: readonly string[]) =>
      request('PATCH', `/api/v1/nodes/n1?fieldManager=${manager}`, body(podCIDRs), 'application/apply-patch+yaml')
    await applyNode('one', ['10.244.1.0/24'])
    const both = await applyNode('two', ['fd00:244:1::/64'])
    expect(both.body.spec.podCIDRs).toEqual(['10.244.1.0/24', 'fd00:244:1::/64'])
    const fewer = await applyNode('one', [])
    expect(fewer.body.spec.podCIDRs).toEqual(['fd00:244:1::/64'])
  })

  test('of a selector takes it whole: what is atomic has one owner', async () => {
    await apply('one', { spec: { selector: { app: 'cart' }, ...PORT.spec } })
    const refused = await apply('two', { spec: { selector: { tier: 'front' } } })
    expect(refused.body.message).toBe('Apply failed with 1 conflict: conflict with "one": .spec.selector')
    const forced = await apply('two', { spec: { selector: { tier: 'front' } } }, '&force=true')
    expect(forced.body.spec.selector).toEqual({ tier: 'front' })
  })

  test('is YAML', async () => {
    const text = 'apiVersion: v1\nkind: Service\nmetadata: { name: cart }\nspec:\n  ports:\n    - port: 80\n'
    const headers = { 'content-type': 'application/apply-patch+yaml' }
    const answer = await fetch(`${server.url}${CART}?fieldManager=one`, { method: 'PATCH', headers, body: text })
    expect(answer.status).toBe(201)
    const broken = await fetch(`${server.url}${CART}?fieldManager=one`, { method: 'PATCH', headers, body: 'a: [' })
    expect(broken.status).toBe(400)
  })
})

describe('an apply is refused', () => {
  test('without a manager', async () => {
    const answer = await apply('', { spec: { ports: [{ port: 80 }] } })
    expect(answer).toMatchObject({
      code: 422,
      body: {
        message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      },
    })
  })

  test('with managedFields, another name, another kind, or an old resourceVersion', async () => {
    expect((await apply('one', { metadata: { name: 'cart', managedFields: [] } })).body).toMatchObject({
      code: 400,
      message: 'metadata.managedFields must be nil',
    })
    expect((await apply('one', { metadata: { name: 'web' } })).code).toBe(400)
    expect((await apply('one', { kind: 'Node' })).code).toBe(400)
    await apply('one', {})
    expect((await apply('one', { metadata: { name: 'cart', resourceVersion: '1' } })).code).toBe(409)
  })

  test('without apiVersion or kind', async () => {
    expect((await apply('one', { kind: undefined })).code).toBe(400)
    expect((await apply('one', { apiVersion: undefined })).body).toMatchObject({
      code: 400,
      message: 'Incorrect version specified in apply patch. Specified patch version: , expected: v1',
    })
  })

  test('with a port that is none, and force is for applies alone', async () => {
    expect((await apply('one', { spec: { ports: [{ port: 0 }] } })).code).toBe(422)
    await apply('one', PORT)
    const forced = await request('PATCH', `${CART}?force=true`, {}, 'application/merge-patch+json')
    expect(forced.body.message).toMatch(/force: Forbidden: may not be specified for non-apply patch$/)
  })
})

test('managedFields are forgotten on demand, and then not kept by other writes', async () => {
  const made = await apply('one', { spec: { ports: [{ port: 80 }] } })
  const body = { ...made.body, metadata: { ...made.body.metadata, managedFields: [{}] } }
  expect((await request('PUT', CART, body)).body.metadata).not.toHaveProperty('managedFields')
  const patch = { spec: { type: 'NodePort' } }
  const patched = await request('PATCH', CART, patch, 'application/merge-patch+json')
  expect(patched.body.metadata).not.toHaveProperty('managedFields')
})
