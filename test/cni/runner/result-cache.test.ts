import { expect, test } from 'vitest'
import { ResultCache } from '#cni/runner/result-cache.ts'
import { PaperFiles } from './paper-files.ts'

const CONFIG = '{"cniVersion":"0.4.0","name":"cnet","plugins":[{"type":"bridge"}]}\n'

/** As containerd 1.6 wrote it, but for the configuration. */
const BY_CONTAINERD = {
  kind: 'cniCacheV1',
  containerId: 'default-pod1',
  config: Buffer.from(CONFIG).toString('base64'),
  ifName: 'eth0',
  networkName: 'cnet',
  result: {
    cniVersion: '0.4.0',
    dns: {},
    interfaces: [
      { mac: '76:f0:7d:c5:27:5a', name: 'cb0' },
      { mac: '2e:d5:1e:5f:62:0d', name: 'eth0', sandbox: '/proc/26581/ns/net' },
    ],
    ips: [{ address: '10.99.0.2/24', gateway: '10.99.0.1', interface: 1, version: '4' }],
    routes: [{ dst: '0.0.0.0/0' }],
  },
}

const NAMED = { network: 'cnet', container: 'default-pod1', ifname: 'eth0' }

test('what containerd kept of an ADD is understood', async () => {
  const cache = new ResultCache(
    new PaperFiles({ '/var/lib/cni/results/cnet-default-pod1-eth0': BY_CONTAINERD }),
    '/var/lib/cni',
  )
  const kept = {
    ...{ ...NAMED, netns: '', args: [], capabilities: {}, config: CONFIG },
    result: {
      interfaces: [
        { name: 'cb0', mac: '76:f0:7d:c5:27:5a' },
        { name: 'eth0', mac: '2e:d5:1e:5f:62:0d', sandbox: '/proc/26581/ns/net' },
      ],
      ips: [{ address: '10.99.0.2', prefixLength: 24, gateway: '10.99.0.1', interface: 1 }],
      routes: [{ dst: '0.0.0.0/0' }],
      dns: {},
    },
  }
  expect(await cache.load(NAMED)).toEqual(kept)
  expect(await cache.attachments('cnet')).toEqual([kept])
})

test('what was half written when its process was killed is no attachment, and none is named twice', async () => {
  const name = '/c/results/cnet-default-pod1-eth0'
  const files = new PaperFiles({ [`${name}.new`]: BY_CONTAINERD, [name]: BY_CONTAINERD })
  const cache = new ResultCache(files, '/c')
  expect(await cache.attachments('cnet')).toHaveLength(1)
  await cache.forget(NAMED)
  expect(await cache.attachments('cnet')).toEqual([])
})

test('arguments that are no pairs of texts are left out', async () => {
  const cniArgs = [['A', '1'], ['B', 5], 'C', ['D'], [{}, 'x'], ['E', '']]
  const cache = new ResultCache(
    new PaperFiles({ '/c/results/cnet-default-pod1-eth0': { ...BY_CONTAINERD, cniArgs } }),
    '/c',
  )
  expect((await cache.load(NAMED))!.args).toEqual([
    ['A', '1'],
    ['E', ''],
  ])
})

test('what is kept is read back as it was', async () => {
  const cache = new ResultCache(new PaperFiles(), '/c')
  const kept = {
    ...NAMED,
    ...{ netns: '/run/netns/x', args: [['A', 'b=c']] as const, capabilities: { mac: 'x' }, config: CONFIG },
  }
  await cache.keep(kept, BY_CONTAINERD.result)
  expect(await cache.load(NAMED)).toMatchObject(kept)
  await cache.forget(NAMED)
  await cache.forget(NAMED)
  expect(await cache.load(NAMED)).toBeUndefined()
})

test.each([
  '',
  'null',
  '{"kind":"cniCacheV1"}',
  '{"kind":"cniCacheV1","containerId":5,"ifName":"eth0","networkName":"cnet"}',
  '{"kind":"other","containerId":"c","ifName":"eth0","networkName":"cnet"}',
])('%j among the files is no attachment', async text => {
  const cache = new ResultCache(new PaperFiles({ '/c/results/cnet-x-eth0': text }), '/c')
  expect(await cache.attachments('cnet')).toEqual([])
})
