import { CoreV1Api } from '@kubernetes/client-node'
import { describe, expect, test } from 'vitest'
import type { ApiServer } from '#lab/api-server/server.ts'
import { configFor } from '../../client/client.ts'
import { inCluster, nodeObject, ranges } from './cluster-on-http.ts'

const createService = (server: ApiServer, name: string, spec: object = {}) =>
  configFor(server)
    .makeApiClient(CoreV1Api)
    .createNamespacedService({
      namespace: 'shop',
      body: { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } },
    })

const orphan = (name: string, owner: string): never =>
  ({
    ...{ apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name } },
    spec: { parentRef: { group: '', resource: 'services', namespace: 'shop', name: owner } },
  }) as never

describe('the table of a live cluster', () => {
  test('has Nodes page by page, ServiceCIDRs, and what Services have', () =>
    inCluster(
      async server => {
        for (let i = 0; i < 600; i++) server.store.put(nodeObject(`n${i}`, [`10.${244 + (i >> 8)}.${i & 255}.0/24`]))
        await createService(server, 'web', { type: 'NodePort', ipFamilyPolicy: 'RequireDualStack' })
        const { text, status } = await ranges('table', `--master=${server.url}`, '--cluster-cidr=10.244.0.0/14')
        expect(status).toBe(0)
        expect(text).toMatch(/^Cluster CIDR +10\.244\.0\.0\/14 +1024 +600 +424 /m)
        expect(text).toMatch(/^ {2}node n599 +10\.246\.87\.0\/24 /m)
        expect(text).toMatch(/^Service CIDR +10\.0\.0\.0\/24 +254 +1 +253 /m)
        expect(text).toMatch(/^Service CIDR +fd00::\/112 +65535 +1 +65534 /m)
        expect(text).toMatch(/^Node ports +30000-32767 +2768 +1 /m)
        expect(text).toContain('Cluster CIDR: that of --cluster-cidr.')
      },
      { services: { clusterIPs: '10.0.0.0/24,fd00::/112' } },
    ))

  test('has a guess, where nothing says the range of pods, and the range of kubeadm where it does', () =>
    inCluster(async server => {
      server.store.put(nodeObject('a', ['10.244.1.0/24']))
      server.store.put(nodeObject('b', ['10.244.2.0/24']))
      const guessed = await ranges('table', `--master=${server.url}`)
      expect(guessed.text).toMatch(/^Cluster CIDR +10\.244\.0\.0\/22 +4 +2 /m)
      expect(guessed.text).toContain('Cluster CIDR: a guess')
      expect(guessed.text).not.toContain('Warning')
      const ClusterConfiguration = 'kind: ClusterConfiguration\nnetworking:\n  podSubnet: 10.244.0.0/16\n'
      server.store.put({
        ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kubeadm-config', namespace: 'kube-system' } },
        data: { ClusterConfiguration },
      })
      expect((await ranges('table', `--master=${server.url}`)).text).toMatch(/^Cluster CIDR +10\.244\.0\.0\/16 /m)
    }))

  test('has the ring', () =>
    inCluster(async server => {
      const nodes = [
        ['a', '1'],
        ['b', '2'],
      ]
      const tokens = [
        ['10.32.0.0', 0, 1],
        ['10.40.0.0', 1, 1],
      ]
      const ring = JSON.stringify({ range: '10.32.0.0/12', revision: 1, nodes, tokens, peers: [], requests: [] })
      server.store.put({
        ...{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'switchyard-ring', namespace: 'kube-system' } },
        data: { ring },
      })
      const { text } = await ranges('table', `--master=${server.url}`)
      expect(text).toMatch(/^Ring +10\.32\.0\.0\/12 +1048576 /m)
      expect(text).toMatch(/^ {2}peer b +10\.40\.0\.0-10\.47\.255\.255 +524288 /m)
    }))

  test('does without what the API server does not serve or show', () =>
    inCluster(async server => {
      server.inject({ do: 'status', code: 403, resource: 'ipaddresses' })
      server.inject({ do: 'status', code: 404, resource: 'servicecidrs' })
      const { text } = await ranges('table', `--master=${server.url}`, '--service-cluster-ip-range=10.0.0.0/24')
      expect(text).toMatch(/^Service CIDR +10\.0\.0\.0\/24 /m)
    }))

  test('fails where the Nodes cannot be listed', () =>
    inCluster(async server => {
      server.inject({ do: 'status', code: 403, resource: 'nodes' })
      await expect(ranges('table', `--master=${server.url}`)).rejects.toThrow('403')
    }))
})

describe('an audit of a live cluster', () => {
  test('finds nothing wrong where the API server allocates', () =>
    inCluster(async server => {
      for (const name of ['a', 'b', 'c']) await createService(server, name, { type: 'NodePort' })
      const { text, status } = await ranges('audit', `--master=${server.url}`)
      expect([text, status]).toEqual(['3 Services and 3 IPAddresses: nothing is wrong.', 0])
    }))

  test('finds what is left over or missing, changes nothing, and exits with 1', () =>
    inCluster(async server => {
      await createService(server, 'a')
      server.store.put(orphan('10.96.9.9', 'gone'))
      server.store.remove('IPAddress', undefined, '10.96.1.1')
      const { revision } = server.store
      const { text, status } = await ranges('audit', `--master=${server.url}`)
      expect(text).toMatch(/^ERROR {3}ClusterIPNotAllocated +shop\/a +cluster IP 10\.96\.1\.1 has no IPAddress/m)
      expect(text).toMatch(/^ERROR {3}IPAddressNotAllocated +10\.96\.9\.9 /m)
      expect([status, server.store.revision]).toEqual([1, revision])
      expect(server.requests.every(({ method }) => method === 'GET' || method === 'POST')).toBe(true)
    }))

  test('fails where the range of Services is not known', () =>
    inCluster(async server => {
      server.inject({ do: 'status', code: 404, resource: 'servicecidrs' })
      await expect(ranges('audit', `--master=${server.url}`)).rejects.toThrow('--service-cluster-ip-range says it')
    }))
})
