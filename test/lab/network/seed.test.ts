import { readFileSync } from 'node:fs'
import { dumpYaml, type KubernetesObject, loadAllYaml, type V1EndpointSlice } from '@kubernetes/client-node'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { SEED_NODE, SEED_OBJECTS, SEED_PODS } from '#lab/network/seed.ts'
import { NODE, NODE_POD_CIDRS, OUTSIDE } from '#lab/network/topology.ts'

const TEXT = readFileSync(new URL('../../../fixtures/clusters/seed.yaml', import.meta.url), 'utf8')
const SLICES = SEED_OBJECTS.filter(({ kind }) => kind === 'EndpointSlice') as readonly unknown[] as V1EndpointSlice[]

test('the YAML fixture has only fields that Kubernetes knows', () => {
  // client-node reads and writes what its models know, and drops everything else.
  const known = (loadAllYaml(TEXT) as readonly KubernetesObject[]).map(object => parse(dumpYaml(object)))
  expect(known).toEqual(SEED_OBJECTS)
})

test('every Service has its slice, and every slice its Service', () => {
  const of = (kind: string) => SEED_OBJECTS.filter(object => object.kind === kind)
  const services = of('Service').map(({ metadata }) => metadata.name)
  const sliced = of('EndpointSlice').map(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'])
  expect(new Set(sliced)).toEqual(new Set(services))
})

test('no two pods share an address', () => {
  const addresses = SEED_PODS.flatMap(({ ip4, ip6 }) => [ip4, ip6])
  expect(new Set(addresses).size).toBe(addresses.length)
})

test('the pods are those that the slices name, and a client', () => {
  expect(SEED_PODS).toEqual([
    {
      name: 'db',
      nodeName: 'sandbox',
      ip4: '10.244.1.2',
      ip6: 'fd00:244:1::2',
      answers: { protocol: 'tcp', port: 3306 },
    },
    {
      name: 'web-1',
      nodeName: 'sandbox',
      ip4: '10.244.1.3',
      ip6: 'fd00:244:1::3',
      answers: { protocol: 'tcp', port: 8080 },
    },
    {
      name: 'web-2',
      nodeName: 'sandbox-2',
      ip4: '10.244.2.3',
      ip6: 'fd00:244:2::3',
      answers: { protocol: 'tcp', port: 8080 },
    },
    {
      name: 'dns-1',
      nodeName: 'sandbox',
      ip4: '10.244.1.4',
      ip6: 'fd00:244:1::4',
      answers: { protocol: 'udp', port: 53 },
    },
    { name: 'client', nodeName: 'sandbox', ip4: '10.244.1.9', ip6: 'fd00:244:1::9' },
  ])
})

test('every endpoint is an address that the lab gives to its pod', () => {
  const endpoints = SLICES.flatMap(({ endpoints = [] }) => endpoints)
  const given = new Map(SEED_PODS.map(({ name, ip4, ip6 }) => [name, [ip4, ip6]]))
  for (const { addresses, targetRef } of endpoints) {
    const name = targetRef?.name
    expect(name === undefined ? [OUTSIDE.ip4] : given.get(name)).toContain(addresses[0])
  }
})

test('the Node is the node of the lab', () => {
  expect(SEED_NODE).toBe('sandbox')
  expect(SEED_OBJECTS.find(({ kind }) => kind === 'Node')).toMatchObject({
    spec: { podCIDRs: NODE_POD_CIDRS },
    status: { addresses: [{ address: NODE.ip4 }, { address: NODE.ip6 }, { address: SEED_NODE }] },
  })
})
