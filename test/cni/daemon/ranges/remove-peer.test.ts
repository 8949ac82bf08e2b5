import { afterEach, beforeEach, expect, test } from 'vitest'
import { removedByHand } from '#cni/daemon/ranges/remove-peer.ts'
import { ringOf, ringText } from '#ipam/ring/ring-text.ts'
import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import { type ApiServer, startApiServer } from '#lab/api-server/server.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { addressNumber } from '#values/address.ts'
import { accepted } from '../../../config/parsing.ts'
import { putNamespace } from '../../../lab/api-server/api-client.ts'
import { cidr, ip } from '../../../support/objects.ts'

// `ipam rmpeer` with the ring of an API server. Beside a daemon that uses the ring, it is in kernel/pods/ranges.test.ts.

let server: ApiServer
beforeEach(async () => {
  server = await startApiServer({})
  putNamespace(server.store, 'kube-system')
})
afterEach(() => server.close())

const token = (name: string, start: string) => ({
  ...{ name, uid: `uid-${name}`, start: Number(addressNumber(ip(start))), epoch: 1 },
})

function putRing(): void {
  const tokens = [token('here', '10.32.0.0'), token('gone', '10.40.0.0')]
  const ring = ringText({
    range: cidr('10.32.0.0/12'),
    tokens,
    peers: tokens.map(({ name, uid }) => ({ name, uid })),
    requests: [],
    revision: 1,
  })
  const metadata = { namespace: 'kube-system', name: 'switchyard-ring' }
  server.store.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { ring } } as never)
}

function putNode(name: string): void {
  server.store.put({ apiVersion: 'v1', kind: 'Node', metadata: { name, uid: `uid-${name}` } } as never)
}

async function removed(what: string, argv: readonly string[] = []): Promise<string> {
  const { settings } = await accepted({ verb: 'ipam', argv: ['rmpeer', what, '--hostname-override=here', ...argv] })
  const [clock, kernel] = [new PaperClock(), { run: async () => ({ code: 127, stdout: '', stderr: '' }) }]
  const files = { readText: () => Promise.reject(new Error('no files here')) }
  const credentials = await credentialsFrom({ master: server.url, env: {}, files, kernel, clock })
  return removedByHand(what, { settings, kernel, clock, credentials }).catch((error: Error) => error.message)
}

test('what a node that is gone has is this node’s, by credentials that no setting names', async () => {
  putRing()
  putNode('here')
  expect(await removed('gone')).toBe('gone (uid uid-gone): 524288 addresses are of here now')
  const [map] = server.store.list('ConfigMap').filter(({ metadata }) => metadata?.name === 'switchyard-ring')
  const ring = ringOf((map as unknown as { readonly data: { readonly ring: string } }).data.ring)
  expect(ring).toMatchObject({ tokens: [{ name: 'here' }] })
})

test('a node that is there loses nothing unless it must, and one that the ring does not know is named', async () => {
  putRing()
  for (const name of ['here', 'gone']) putNode(name)
  expect(await removed('gone')).toMatch(/^ipam rmpeer: Node gone \(uid uid-gone\) is there; with --force /)
  expect(await removed('here')).toBe('ipam rmpeer: here is this node; run it on another one')
  expect(await removed('lost')).toBe('ipam rmpeer: the ring knows no "lost"; other nodes in it: gone')
  expect(await removed('gone', ['--force'])).toBe('gone (uid uid-gone): 524288 addresses are of here now')
})

test('a node that has no part of the ring takes nothing', async () => {
  expect(await removed('gone')).toBe('ipam rmpeer: there is no ring in this cluster')
  putRing()
  expect(await removed('gone')).toBe('ipam rmpeer: node here takes no part in the ring; run it on a node that does')
})
