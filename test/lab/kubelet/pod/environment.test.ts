import { describe, expect, test } from 'vitest'
import { environmentOf } from '#lab/kubelet/pod/environment.ts'
import { type ContainerSpec, pod } from '../pods.ts'

const MAPS: Readonly<Record<string, Record<string, string>>> = {
  'ConfigMap settings': { COLOUR: 'blue', SIZE: '3' },
  'Secret password': { word: 'secret' },
}
const FACTS = {
  ...{ nodeName: 'node-1', hostIPs: ['10.99.0.11'], podIPs: ['10.244.1.2', 'fd00:244:1::2'] },
  find: async (kind: string, name: string) => MAPS[`${kind} ${name}`],
}
const labelled = pod({}, { labels: { app: 'web' } })

function environment(container: Partial<ContainerSpec>) {
  return environmentOf(labelled, { name: 'main', ...container }, FACTS)
}

const field = (name: string, fieldPath: string) => ({ name, valueFrom: { fieldRef: { fieldPath } } })

describe('the variables of a container', () => {
  test('are texts, and what the pod is', async () => {
    const env = [
      { name: 'PLAIN', value: 'text' },
      { name: 'EMPTY' },
      field('NAME', 'metadata.name'),
      field('NAMESPACE', 'metadata.namespace'),
      field('NODE', 'spec.nodeName'),
      field('IP', 'status.podIP'),
      field('IPS', 'status.podIPs'),
      field('APP', "metadata.labels['app']"),
      field('TEAM', "metadata.annotations['team']"),
    ]
    expect(await environment({ env })).toEqual({
      ...{ PLAIN: 'text', EMPTY: '', NAME: 'web', NAMESPACE: 'shop', NODE: 'node-1', APP: 'web', TEAM: '' },
      ...{ IP: '10.244.1.2', IPS: '10.244.1.2,fd00:244:1::2' },
    })
  })

  test('refer to those before them', async () => {
    const env = [
      { name: 'A', value: '1' },
      { name: 'B', value: '$(A) $$(A) $(C)' },
    ]
    expect(await environment({ env })).toEqual({ A: '1', B: '1 $(A) $(C)' })
  })

  test('come from ConfigMaps and Secrets, key by key or all at once', async () => {
    const env = [
      { name: 'WORD', valueFrom: { secretKeyRef: { name: 'password', key: 'word' } } },
      { name: 'OTHER', valueFrom: { configMapKeyRef: { name: 'settings', key: 'none', optional: true } } },
    ]
    const envFrom = [
      { configMapRef: { name: 'settings' }, prefix: 'MY_' },
      { secretRef: { name: 'no', optional: true } },
    ]
    expect(await environment({ env, envFrom })).toEqual({ MY_COLOUR: 'blue', MY_SIZE: '3', WORD: 'secret' })
  })

  test.each([
    [{ envFrom: [{ configMapRef: { name: 'no' } }] }, 'configmap "no" not found'],
    [
      { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'no' } } }] },
      "couldn't find key no in ConfigMap shop/settings",
    ],
    [{ env: [field('A', 'spec.colour')] }, 'fieldPath: "spec.colour" is none of metadata.name, metadata.namespace'],
    [{ env: [{ name: 'A', valueFrom: {} }] }, 'env A: valueFrom must be a field, a ConfigMap or a Secret'],
  ])('that cannot be found are refused by their name: %j', async (container, message) => {
    await expect(environment(container)).rejects.toThrow(message)
  })
})
