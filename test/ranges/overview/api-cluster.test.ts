import { describe, expect, test } from 'vitest'
import { PaperClock } from '#lab/paper/clock.ts'
import { apiCluster } from '#ranges/overview/api-cluster.ts'

type Answer = readonly [status: number, json?: unknown]

const CONFIG_MAPS = '/api/v1/namespaces/kube-system/configmaps'
const NOTHING: Readonly<Record<string, Answer>> = {
  '/api/v1/nodes': [200, { items: [] }],
  '/api/v1/services': [200, { items: [] }],
}

/** What is not named is not there. */
function looked(answers: Readonly<Record<string, Answer>>) {
  const left: string[] = []
  const clock = new PaperClock()
  const get = async ({ path }: { readonly path: string }) => {
    const [status, json] = { ...NOTHING, ...answers }[path.split('?')[0]!] ?? [404]
    return { status, body: { text: async () => JSON.stringify(json ?? {}) } }
  }
  const cluster = apiCluster({ transport: { get } as never, clock, leftOut: what => left.push(what) })
  return { cluster, left, clock }
}

describe('the objects of a cluster', () => {
  test('are known in part where the API server does not serve them, which needs no words', async () => {
    const { cluster, left } = looked({})
    expect(await cluster).toEqual({
      ...{ nodes: [], services: [], configMaps: [] },
      ...{ serviceCIDRs: undefined, addresses: undefined, pods: undefined },
    })
    expect(left).toEqual([])
  })

  test('that may not be seen are named, each of them: the table would be silent of what it lacks', async () => {
    const hidden = [
      ...['/apis/networking.k8s.io/v1/servicecidrs', '/apis/networking.k8s.io/v1/ipaddresses', '/api/v1/pods'],
      ...[`${CONFIG_MAPS}/kubeadm-config`, `${CONFIG_MAPS}/switchyard-ring`],
    ]
    const { cluster, left } = looked(Object.fromEntries(hidden.map(path => [path, [403]])))
    expect(await cluster).toMatchObject({ addresses: undefined, configMaps: [] })
    expect(left.toSorted()).toEqual([
      'ConfigMap kube-system/kubeadm-config: the API server answered 403',
      'ConfigMap kube-system/switchyard-ring: the API server answered 403',
      'IPAddresses: the API server answered 403',
      'Pods: the API server answered 403',
      'ServiceCIDRs: the API server answered 403',
    ])
  })

  test.each(['/api/v1/nodes', '/api/v1/services'])('are nothing without %s', async path => {
    await expect(looked({ [path]: [403] }).cluster).rejects.toThrow(`the API server answered 403 to a list of ${path}`)
  })

  test('are cut down to what is needed of them where there are very many: pods', async () => {
    const pod = {
      metadata: { name: 'web', annotations: { large: 'x' } },
      spec: { hostNetwork: true, containers: [{}] },
      status: { phase: 'Running', podIP: '10.244.1.2', podIPs: [{ ip: '10.244.1.2' }], conditions: [{}] },
    }
    const { cluster } = looked({ '/api/v1/pods': [200, { items: [pod, null] }] })
    expect((await cluster).pods).toEqual([
      {
        spec: { hostNetwork: true },
        status: { phase: 'Running', podIP: '10.244.1.2', podIPs: [{ ip: '10.244.1.2' }] },
      },
      { spec: {}, status: {} },
    ])
  })

  test('are both ConfigMaps, where they are there', async () => {
    const ring = { metadata: { namespace: 'kube-system', name: 'switchyard-ring' }, data: { ring: '{}' } }
    expect((await looked({ [`${CONFIG_MAPS}/switchyard-ring`]: [200, ring] }).cluster).configMaps).toEqual([ring])
  })
})

test('no clock is left running when all has been listed', async () => {
  const { cluster, clock } = looked({})
  await cluster
  expect(clock.sleepers).toBe(0)
})
