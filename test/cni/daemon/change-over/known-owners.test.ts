import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { knownOwners } from '#cni/daemon/change-over/known-owners.ts'
import { plainFiles } from '#system/plain-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'known-owners-'))
  mkdirSync(join(folder, 'results'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const ARGS = [
  ['IgnoreUnknown', '1'],
  ['K8S_POD_NAME', 'web-1'],
  ['K8S_POD_NAMESPACE', 'shop'],
  ['K8S_POD_UID', 'u1'],
]

function keep(container: string, more: object): void {
  const json = {
    kind: 'cniCacheV1',
    containerId: container,
    ifName: 'eth0',
    networkName: 'pods',
    cniArgs: ARGS,
    ...more,
  }
  writeFileSync(join(folder, `results/pods-${container}-eth0`), JSON.stringify(json))
}

const look = (namespaceId: (path: string) => Promise<string | undefined> = async path => `id of ${path}`) =>
  knownOwners({ files: plainFiles, seen: { namespaceId }, folders: [folder, join(folder, 'none')] })('pods')

test('what a runtime keeps of an ADD names the pod and its namespace', async () => {
  keep('new', { netns: '/run/netns/new' })
  // As containerd 1.6 writes it: the path is in the result alone.
  const interfaces = [
    { name: 'cni0', mac: 'a' },
    { name: 'eth0', mac: 'b', sandbox: '/run/netns/old' },
  ]
  keep('old', { result: { cniVersion: '0.4.0', interfaces, ips: [], dns: {} } })
  const ownerOf = await look()
  const pod = { pod: 'shop/web-1', uid: 'u1' }
  expect(['new', 'old', 'unknown'].map(container => ownerOf({ container, ifname: 'eth0' }))).toEqual([
    { ...pod, netns: '/run/netns/new', namespaceId: 'id of /run/netns/new' },
    { ...pod, netns: '/run/netns/old', namespaceId: 'id of /run/netns/old' },
    undefined,
  ])
})

test('a namespace that is gone, or cannot be looked at, has no id', async () => {
  keep('a', { netns: '/run/netns/a' })
  for (const seen of [async () => undefined, () => Promise.reject(new Error('denied'))]) {
    expect((await look(seen))({ container: 'a', ifname: 'eth0' })).toEqual({
      ...{ pod: 'shop/web-1', uid: 'u1', netns: '/run/netns/a' },
    })
  }
})
