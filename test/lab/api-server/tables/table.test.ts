import { describe, expect, test } from 'vitest'
import { shownDuration } from '#lab/api-server/tables/columns/column.ts'
import { tableOf } from '#lab/api-server/tables/table.ts'

const NOW = Date.parse('2026-11-20T10:00:00Z')
const metadata = { name: 'it', namespace: 'default', creationTimestamp: '2026-11-20T09:55:00Z' }

interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority: number }[]
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly object: object }[]
}

/** As kubectl prints it: `NAME=cell` for each column, those of `-o wide` with a star. */
function shown(kind: string, object: object): Record<string, unknown> {
  const options = { version: 'v1', include: 'Metadata', now: NOW, columns: 'named' } as const
  const table = tableOf({ kind }, {}, [{ metadata, ...object }], options) as Table
  const names = table.columnDefinitions.map(({ name, priority }) => name.toUpperCase() + (priority === 1 ? '*' : ''))
  return Object.fromEntries(names.map((name, i) => [name, table.rows[0]!.cells[i]]))
}

const running = { name: 'a', ready: true, restartCount: 0, state: { running: {} } }
const crashed = {
  ...{ name: 'b', ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff' } } },
  lastState: { terminated: { exitCode: 1, finishedAt: '2026-11-20T09:58:00Z' } },
}
const spec = { nodeName: 'n1', containers: [{ name: 'a' }, { name: 'b' }] }

describe('a table', () => {
  test('of a pod says what is wrong with any of its containers', () => {
    const pod = { spec, status: { phase: 'Running', podIP: '10.244.1.2', containerStatuses: [running, crashed] } }
    expect(shown('Pod', pod)).toEqual({
      ...{ NAME: 'it', READY: '1/2', STATUS: 'CrashLoopBackOff', RESTARTS: '3 (2m ago)', AGE: '5m' },
      ...{ 'IP*': '10.244.1.2', 'NODE*': 'n1', 'NOMINATED NODE*': '<none>', 'READINESS GATES*': '<none>' },
    })
  })

  test.each([
    ['Pending', { phase: 'Pending' }, {}],
    ['Init:0/1', { phase: 'Pending', initContainerStatuses: [{ ...running, name: 'i' }] }, {}],
    [
      'Init:Error',
      { phase: 'Pending', initContainerStatuses: [{ state: { terminated: { exitCode: 1, reason: 'Error' } } }] },
      {},
    ],
    [
      'Completed',
      { phase: 'Succeeded', containerStatuses: [{ state: { terminated: { exitCode: 0, reason: 'Completed' } } }] },
      {},
    ],
    ['ExitCode:4', { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 4 } } }] }, {}],
    ['Terminating', { phase: 'Running', containerStatuses: [running] }, { deletionTimestamp: '2026-11-20T10:00:00Z' }],
    ['Evicted', { phase: 'Failed', reason: 'Evicted' }, {}],
  ])('of a pod has the status %s', (word, status, more) => {
    const pod = { metadata: { ...metadata, ...more }, spec: { ...spec, initContainers: [{ name: 'i' }] }, status }
    expect(shown('Pod', pod)).toMatchObject({ STATUS: word })
  })

  test.each([
    [
      'Succeeded',
      [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }],
    ],
    ['Failed', [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }]],
    ['Running', undefined],
    ['constructor', undefined],
  ])('marks the row of a pod that has ended: %s', (phase, conditions) => {
    const options = { version: 'v1', include: 'None', now: NOW, columns: 'named' } as const
    const table = tableOf({ kind: 'Pod' }, {}, [{ metadata, spec, status: { phase } }], options) as Table
    expect(table.rows).toEqual([{ cells: expect.anything(), object: null, conditions }])
  })

  test('of a Service has its addresses, ports and selector', () => {
    const ports = [
      { port: 80, nodePort: 30_080, protocol: 'TCP' },
      { port: 53, protocol: 'UDP' },
    ]
    const service = { spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', ports, selector: { b: '2', a: '1' } } }
    expect(shown('Service', service)).toEqual({
      ...{ NAME: 'it', TYPE: 'LoadBalancer', 'CLUSTER-IP': '10.96.0.9', 'EXTERNAL-IP': '<pending>' },
      ...{ 'PORT(S)': '80:30080/TCP,53/UDP', AGE: '5m', 'SELECTOR*': 'a=1,b=2' },
    })
    const given = { ...service, status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } }
    expect(shown('Service', given)).toMatchObject({ 'EXTERNAL-IP': '192.0.2.1' })
    expect(shown('Service', { spec: { type: 'ExternalName', externalName: 'a.b' } })).toMatchObject({
      ...{ 'CLUSTER-IP': '<none>', 'EXTERNAL-IP': 'a.b', 'PORT(S)': '<none>', 'SELECTOR*': '<none>' },
    })
  })

  test('of a Node, a Deployment, an EndpointSlice and an Event', () => {
    const conditions = [{ type: 'Ready', status: 'True' }]
    const node = {
      ...{ metadata: { ...metadata, labels: { 'node-role.kubernetes.io/worker': '' } } },
      ...{
        spec: { unschedulable: true },
        status: { conditions, addresses: [{ type: 'InternalIP', address: '10.9.0.1' }] },
      },
    }
    expect(shown('Node', node)).toMatchObject({
      STATUS: 'Ready,SchedulingDisabled',
      ROLES: 'worker',
      'INTERNAL-IP*': '10.9.0.1',
    })
    const template = { spec: { containers: [{ name: 'main', image: 'x:1' }] } }
    const deployment = {
      spec: { replicas: 3, selector: { matchLabels: { app: 'a' } }, template },
      status: { readyReplicas: 2 },
    }
    expect(shown('Deployment', deployment)).toMatchObject({
      READY: '2/3',
      AVAILABLE: 0,
      'IMAGES*': 'x:1',
      'SELECTOR*': 'app=a',
    })
    const endpoints = ['1', '2', '3', '4'].map(it => ({ addresses: [`10.0.0.${it}`] }))
    expect(shown('EndpointSlice', { addressType: 'IPv4', ports: [{ port: 80 }], endpoints })).toMatchObject({
      ...{ PORTS: '80', ENDPOINTS: '10.0.0.1,10.0.0.2,10.0.0.3 + 1 more...' },
    })
    const event = {
      type: 'Normal',
      reason: 'Started',
      note: 'up ',
      regarding: { kind: 'Pod', name: 'p' },
      eventTime: '2026-11-20T09:59:30.000000Z',
    }
    expect(shown('Event', event)).toMatchObject({ 'LAST SEEN': '30s', OBJECT: 'pod/p', MESSAGE: 'up', 'COUNT*': 1 })
  })

  test('names its columns where it is asked to, and carries of the objects what it is asked for', () => {
    const options = { version: 'v1', include: 'Object', now: NOW, columns: 'known' } as const
    const object = { metadata, data: { a: 'b' } }
    expect(tableOf({ kind: 'ConfigMap' }, { resourceVersion: '7' }, [object], options)).toEqual({
      ...{ kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata: { resourceVersion: '7' }, columnDefinitions: null },
      rows: [{ cells: ['it', 1, '5m'], object }],
    })
    expect(tableOf({ kind: 'ConfigMap' }, {}, [object], { ...options, include: 'None' })).toMatchObject({
      rows: [{ cells: ['it', 1, '5m'] }],
    })
  })
})

test.each([
  ...([
    [-5, '<invalid>'],
    [0, '0s'],
    [119, '119s'],
    [120, '2m'],
    [125, '2m5s'],
    [599, '9m59s'],
    [600, '10m'],
  ] as const),
  ...([
    [10_799, '179m'],
    [10_800, '3h'],
    [12_000, '3h20m'],
    [36_000, '10h'],
    [172_800, '2d'],
    [176_400, '2d1h'],
  ] as const),
  ...([
    [864_000, '10d'],
    [31_536_000 * 3, '3y'],
    [31_536_000 * 9, '9y'],
  ] as const),
])('%i seconds are shown as %s', (seconds, text) => {
  expect(shownDuration(seconds)).toBe(text)
})
