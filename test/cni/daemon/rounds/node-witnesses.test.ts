import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { nodeApi } from '#cni/daemon/rounds/node-api.ts'
import { nodeWitnesses } from '#cni/daemon/rounds/node-witnesses.ts'
import type { Lease } from '#ipam/leases/lease-book.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { PlainFiles } from '#system/plain-files.ts'
import { address } from '../../../support/leases.ts'

const IN_CLUSTER = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' }
const LEASE: Lease = {
  ...{ network: 'mynet', container: 'a', ifname: 'eth0', pod: 'default/a', address: address('10.9.0.2') },
  ...{ family: 'ipv4', set: 0, boot: 'b', state: 'assigned', at: 0 },
}

async function witnesses(settings: object, env: Readonly<Record<string, string>>, readable: readonly string[] = []) {
  const read = async (path: string) => (readable.some(end => path.endsWith(end)) ? 'text' : undefined)
  const files = { read, list: async () => [] } as unknown as PlainFiles
  const networks = { open: () => Promise.reject(new Error('no networks here')) }
  const kernel = { run: () => Promise.reject(new Error('no programs here')) }
  const clock = new PaperClock()
  const api = await nodeApi({ settings, kernel, clock, files, env })
  const { of, apiFailure } = nodeWitnesses({ api, networks, clock, files })
  const all = of(async () => new Set())
  const said = await Promise.all(all.map(async ({ name, testify }) => `${name}: ${await testify([LEASE])}`))
  await api?.close()
  return { said, why: apiFailure() }
}

test('without Kubernetes, and in a container that has no token, the API server is no witness', async () => {
  const two = ['namespace: mute', 'runtime: not']
  expect((await witnesses({}, {})).said).toEqual(two)
  expect((await witnesses({}, IN_CLUSTER)).said).toEqual(two)
})

test('an API server that is configured and cannot be asked has failed, and it is known why', async () => {
  const inCluster = await witnesses({}, IN_CLUSTER, ['/token'])
  expect(inCluster.said[2]).toBe('api: failed')
  expect(inCluster.why).toMatch(/service account/)
  const missing = await witnesses({ kubeconfig: '/no/such/kubeconfig' }, {})
  expect([missing.said[2], missing.why]).toEqual([
    'api: failed',
    'cannot read the kubeconfig /no/such/kubeconfig: there is no such file',
  ])
  const silent = await witnesses({ master: 'http://127.0.0.1:1' }, {})
  expect([silent.said[2], silent.why]).toEqual([
    'api: failed',
    expect.stringMatching(/^cannot reach http:\/\/127.0.0.1:1/),
  ])
})

test('an API server that answers names the pods of this node', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    const metadata = { namespace: 'default', name: 'a', uid: 'u' }
    response.end(JSON.stringify({ items: [{ metadata, status: { phase: 'Running' } }], metadata: {} }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const master = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const { said, why } = await witnesses({ master, hostnameOverride: 'node-1' }, {})
  expect([said[2], why]).toEqual(['api: names', undefined])
  expect(asked).toEqual(['/api/v1/pods?fieldSelector=spec.nodeName%3Dnode-1&limit=500'])
  server.close()
})
