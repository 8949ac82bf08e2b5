import { beforeEach, describe, expect, test } from 'vitest'
import type { Node } from '#lab/client/objects.ts'
import { nodeStatus } from '#lab/kubelet/node/node-object.ts'
import { reportNode } from '#lab/kubelet/node/node-reports.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperApi } from '../reports/paper-api.ts'

const INFO = {
  ...{ machineID: 'm', systemUUID: 'm', bootID: 'b', kernelVersion: '6.12', osImage: 'Debian', kubeProxyVersion: '' },
  ...{ containerRuntimeVersion: 'paper://1', kubeletVersion: 'v1', operatingSystem: 'linux', architecture: 'amd64' },
}
const MACHINE = { addresses: ['10.99.0.11', 'fd00:99::11'], processors: 2, memoryBytes: 4096 * 1024, info: INFO }
const facts = (now: number, problem?: string) => ({ name: 'node-1', ...MACHINE, problem, now })

test('a Node has its addresses, what it can hold, and whether pods can start on it', () => {
  const status = nodeStatus(facts(Date.UTC(2026, 0, 1), 'no network configuration in /x'), undefined)
  expect(status).toMatchObject({
    addresses: [
      { type: 'InternalIP', address: '10.99.0.11' },
      { type: 'InternalIP', address: 'fd00:99::11' },
      { type: 'Hostname', address: 'node-1' },
    ],
    capacity: { cpu: '2', memory: '4096Ki', pods: '110' },
    nodeInfo: INFO,
  })
  expect(status.conditions!.at(-1)).toMatchObject({
    ...{ type: 'Ready', status: 'False', reason: 'KubeletNotReady' },
    message: 'container runtime network not ready: no network configuration in /x',
  })
})

test('a condition keeps its time for as long as it stays the same, and those of other programs stay', () => {
  const before = nodeStatus(facts(0), undefined)
  const other = { type: 'NetworkUnavailable', status: 'False' }
  const after = nodeStatus(facts(60_000), { ...before, conditions: [...before.conditions!, other] })
  expect(after.conditions!.map(({ type }) => type)).toEqual([
    ...['MemoryPressure', 'DiskPressure', 'PIDPressure', 'Ready', 'NetworkUnavailable'],
  ])
  expect(after.conditions![3]).toMatchObject({
    ...{ lastTransitionTime: '1970-01-01T00:00:00Z', lastHeartbeatTime: '1970-01-01T00:01:00Z' },
  })
})

describe('a node', () => {
  let api: PaperApi
  let clock: PaperClock
  let problem: string | undefined
  let readied: number

  beforeEach(() => {
    api = new PaperApi()
    clock = new PaperClock()
    problem = undefined
    readied = 0
  })

  async function reporting(): Promise<AbortController> {
    const stop = new AbortController()
    void reportNode({
      ...{ client: api.client, clock, signal: stop.signal, warn: () => {} },
      facts: async () => facts(clock.now(), problem),
      ready: () => {
        readied += 1
      },
    })
    await clock.advance(0)
    return stop
  }

  const written = () => api.writes.splice(0).map(({ verb, kind }) => `${verb} ${kind}`)

  test('is registered with its Lease, which is renewed every 10 s, and the Node only when it has changed', async () => {
    const stop = await reporting()
    expect([written(), readied]).toEqual([['create Node', 'patch Node', 'create Lease'], 1])
    await clock.advance(20_000)
    expect(written()).toEqual(['patch Lease', 'patch Lease'])
    problem = 'gone'
    await clock.advance(10_000)
    expect(written()).toEqual(['patch Node', 'patch Lease'])
    stop.abort()
    await clock.advance(100_000)
    expect(written()).toEqual([])
  })

  test('that cannot start pods says so at once, and that it can as soon as it can', async () => {
    problem = 'no daemon answers'
    await reporting()
    expect([written(), readied]).toEqual([['create Node', 'patch Node', 'create Lease'], 0])
    await clock.advance(1000)
    expect(written()).toEqual([])
    problem = undefined
    await clock.advance(200)
    expect([written(), readied]).toEqual([['patch Node', 'patch Lease'], 1])
  })

  test('that was registered by another program keeps what that has written', async () => {
    const known: Node = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-1' },
      spec: { podCIDR: '10.244.1.0/24' },
    }
    api.objects.set('Node node-1', known)
    await reporting()
    expect(api.writes[0]!.body).toEqual({
      metadata: {
        labels: { 'kubernetes.io/hostname': 'node-1', 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' },
      },
    })
    expect(written()).toEqual(['patch Node', 'patch Node', 'create Lease'])
  })

  test('whose Node was deleted registers it anew', async () => {
    await reporting()
    written()
    api.objects.delete('Node node-1')
    await clock.advance(10_000)
    expect(written()).toEqual(['create Node', 'patch Node', 'patch Lease'])
  })

  test('that was marked as unknown while it was not heard says again how it is', async () => {
    await reporting()
    written()
    const conditions = [{ type: 'Ready', status: 'Unknown', reason: 'NodeStatusUnknown' }]
    const silent = { ...api.objects.get('Node node-1')!, status: { conditions } }
    api.objects.set('Node node-1', silent)
    await clock.advance(10_000)
    expect(written()).toEqual(['patch Node', 'patch Lease'])
    await clock.advance(10_000)
    expect(written()).toEqual(['patch Lease'])
  })
})
