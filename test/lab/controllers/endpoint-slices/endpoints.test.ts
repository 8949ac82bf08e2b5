import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Node, Pod, Service } from '#lab/client/objects.ts'
import { type Endpoint, endpointGroups, familiesOf, groupKey } from '#lab/controllers/endpoint-slices/endpoints.ts'
import { podOf, runningOn } from '../paper-cluster.ts'

// One Service and the pods it takes, without slices: which addresses, which ports, what is said of each.

const HTTP = { name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }

function serviceOf(spec: Partial<Service['spec']> = {}): Service {
  const whole = { clusterIP: '10.96.0.10', ipFamilies: ['IPv4'], ports: [HTTP], ...spec }
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'default', name: 'web' }, spec: whole }
}

interface WebOptions {
  readonly ips?: readonly string[]
  readonly ready?: 'True' | 'False'
  readonly isEnding?: true
  readonly spec?: Partial<Pod['spec']>
}

function web(index: number, { ips = [`10.244.0.${index}`], ready = 'True', isEnding, spec }: WebOptions = {}): Pod {
  const running = runningOn('node-1', ips[0]!, ready)
  const metadata = { namespace: 'default', uid: `uid-${index}`, ...(isEnding && { deletionTimestamp: 'now' }) }
  const status = { ...running.status!, podIPs: ips.map(ip => ({ ip })) }
  return podOf(`web-${index}`, { metadata, status, spec: { ...running.spec!, ...spec } })
}

function node(labels: Readonly<Record<string, string>> = {}): Node {
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1', labels } }
}

/** `IPv4 8080: 10.244.0.1`, a line for each group. */
function grouped(service: Service, ...pods: readonly Pod[]): readonly string[] {
  return endpointGroups(service, pods, () => undefined)
    .map(({ addressType, ports, endpoints }) => {
      const numbers = ports.map(({ port }) => port).join(',')
      return `${addressType} ${numbers}: ${[...endpoints.keys()].sort().join(' ')}`
    })
    .sort()
}

function only(service: Service, pods: readonly Pod[], at = node()): Endpoint {
  const [group] = endpointGroups(service, pods, () => at)
  const [endpoint] = group!.endpoints.values()
  return endpoint!
}

describe('the families of a Service', () => {
  test.each<[string, Partial<Service['spec']>, readonly string[]]>([
    ['as it says, the primary one first', { ipFamilies: ['IPv6', 'IPv4'] }, ['IPv6', 'IPv4']],
    ['of its cluster IPs', { ipFamilies: [], clusterIPs: ['fd00:96::1', '10.96.0.1'] }, ['IPv6', 'IPv4']],
    ['of its cluster IP', { ipFamilies: [], clusterIP: 'fd00:96::1' }, ['IPv6']],
    ['both where it is headless and does not say', { ipFamilies: [], clusterIP: 'None' }, ['IPv4', 'IPv6']],
  ])('are %s', (_, spec, families) => {
    expect(familiesOf(serviceOf(spec))).toEqual(families)
  })
})

describe('the addresses of a pod', () => {
  test('are the first of each family of the Service, whatever order the pod has them in', () => {
    const pod = web(1, { ips: ['fd00:244::1', '10.244.0.1', '10.244.0.2', 'fd00:244::2'] })
    const both = serviceOf({ ipFamilies: ['IPv4', 'IPv6'] })
    expect(grouped(both, pod)).toEqual(['IPv4 8080: 10.244.0.1', 'IPv6 8080: fd00:244::1'])
    expect(grouped(serviceOf(), pod)).toEqual(['IPv4 8080: 10.244.0.1'])
    expect(grouped(serviceOf({ ipFamilies: ['IPv6'] }), web(1))).toEqual([])
  })

  test('of a status from before there were two are the only one', () => {
    const { podIPs: _, ...status } = web(1).status!
    expect(grouped(serviceOf(), { ...web(1), status })).toEqual(['IPv4 8080: 10.244.0.1'])
  })
})

describe('a target port', () => {
  const sidecar = { name: 'proxy', restartPolicy: 'Always', ports: [{ name: 'web', containerPort: 15_001 }] }
  const once = { name: 'setup', ports: [{ name: 'setup', containerPort: 1 }] }
  const ports = [
    { name: 'web', containerPort: 8080 },
    { name: '1e3', containerPort: 9090 },
    { name: 'dns', containerPort: 53, protocol: 'UDP' },
  ]
  const pod = web(1, { spec: { initContainers: [once, sidecar], containers: [{ name: 'main', ports }] } })
  const at = (targetPort: string | number | undefined, protocol = 'TCP') =>
    grouped(serviceOf({ ports: [{ name: 'a', port: 80, protocol, ...(targetPort && { targetPort }) }] }), pod)

  test.each<[string | number | undefined, string, number]>([
    [undefined, 'that is absent is the port of the Service', 80],
    [8443, 'is a number', 8443],
    ['8443', 'is a number also where it came as a text', 8443],
    ['web', 'is the name of a port of a container, before that of a sidecar', 8080],
    ['1e3', 'is a name also where it can be read as a number', 9090],
  ])('%j %s', (targetPort, _, number) => {
    expect(at(targetPort)).toEqual([`IPv4 ${number}: 10.244.0.1`])
  })

  test('is looked for in sidecars, but not in containers that have ended by then', () => {
    const own = { ...pod, spec: { ...pod.spec!, containers: [{ name: 'main' }] } }
    const named = (targetPort: string) => grouped(serviceOf({ ports: [{ ...HTTP, targetPort }] }), own)
    expect(named('web')).toEqual(['IPv4 15001: 10.244.0.1'])
    expect(named('setup')).toEqual(['IPv4 : 10.244.0.1'])
  })

  test('of another protocol is another port', () => {
    expect(at('dns', 'UDP')).toEqual(['IPv4 53: 10.244.0.1'])
    expect(at('dns', 'TCP')).toEqual(['IPv4 : 10.244.0.1'])
  })

  test('that one pod does not have leaves it the others', () => {
    const two = [HTTP, { name: 'admin', port: 90, targetPort: 'admin', protocol: 'TCP' }]
    expect(grouped(serviceOf({ ports: two }), web(1))).toEqual(['IPv4 8080: 10.244.0.1'])
  })
})

test('ports in another order are the same group, and any part that differs makes another', () => {
  const [a, b] = [
    { name: 'a', port: 1, protocol: 'TCP' },
    { name: 'b', port: 2, protocol: 'UDP' },
  ]
  expect(groupKey('IPv4', [a, b])).toBe(groupKey('IPv4', [b, a]))
  expect(groupKey('IPv4', [{ port: 1 }])).toBe(groupKey('IPv4', [{ name: '', port: 1, protocol: 'TCP' }]))
  const others = [
    { ...a, port: 2 },
    { ...a, name: 'c' },
    { ...a, protocol: 'SCTP' },
    { ...a, appProtocol: 'h2c' },
  ]
  const keys = [a, ...others].map(port => groupKey('IPv4', [port]))
  expect(new Set([...keys, groupKey('IPv6', [a])]).size).toBe(6)
})

describe('of pods that share the address of their node', () => {
  const shared = { ips: ['10.99.0.11'] }
  const old = web(2, { ...shared, isEnding: true })
  const gone = web(3, { ...shared, isEnding: true, ready: 'False' })
  const fresh = web(1, shared)
  const starting = web(1, { ...shared, ready: 'False' })

  test.each<[string, readonly Pod[], string]>([
    ['one that serves is not hidden by the one before it, which ends', [fresh, old], 'web-1'],
    ['one that ends is not hidden by the next one, which does not serve as yet', [starting, old], 'web-2'],
    ['one that starts comes before one that has ended', [starting, gone], 'web-1'],
  ])('%s', (_, pods, name) => {
    for (const order of [pods, [...pods].reverse()]) {
      expect(only(serviceOf(), order).targetRef?.name).toBe(name)
    }
  })
})

test('the order in which pods come changes nothing', () => {
  const options = fc.record({
    ips: fc.constantFrom(['10.99.0.11'], ['10.99.0.12', 'fd00:99::12'], ['10.99.0.13']),
    ready: fc.constantFrom('True', 'False'),
    isEnding: fc.constantFrom(true, undefined),
  })
  const shuffled = fc.array(options, { minLength: 2, maxLength: 6 }).chain(list => {
    const pods = list.map(({ isEnding, ...rest }, index) =>
      web(index, { ...rest, ...(isEnding && { isEnding }) } as WebOptions),
    )
    return fc.tuple(fc.constant(pods), fc.shuffledSubarray(pods, { minLength: pods.length }))
  })
  const found = (pods: readonly Pod[]) => {
    const groups = endpointGroups(serviceOf({ ipFamilies: ['IPv4', 'IPv6'] }), pods, () => undefined)
    return new Map(groups.map(({ addressType, endpoints }) => [addressType, endpoints]))
  }
  fc.assert(
    fc.property(shuffled, ([pods, again]) => {
      expect(found(again)).toEqual(found(pods))
    }),
  )
})

describe('hints', () => {
  const zoned = node({ 'topology.kubernetes.io/zone': 'zone-a' })
  const zone = { forZones: [{ name: 'zone-a' }] }
  const forNodes = [{ name: 'node-1' }]

  test.each<[string, string, object | undefined]>([
    ['PreferClose', 'in a zone', zone],
    ['PreferSameZone', 'in a zone', zone],
    ['PreferSameZone', 'in none', undefined],
    ['PreferSameNode', 'in a zone', { ...zone, forNodes }],
    ['PreferSameNode', 'in none', { forNodes }],
    ['', 'in a zone', undefined],
    ['SomethingNew', 'in a zone', undefined],
  ])('of a Service with %j, a node %s: %j', (trafficDistribution, where, hints) => {
    const at = where === 'in a zone' ? zoned : node()
    expect(only(serviceOf({ trafficDistribution }), [web(1)], at).hints).toEqual(hints)
  })

  test('are for endpoints that are ready', () => {
    const service = serviceOf({ trafficDistribution: 'PreferSameNode' })
    expect(only(service, [web(1, { ready: 'False' })], zoned)).not.toHaveProperty('hints')
    expect(only(service, [web(1, { isEnding: true })], zoned)).not.toHaveProperty('hints')
  })
})

test('a hostname is that of a pod whose subdomain is the name of the Service', () => {
  const named = (subdomain: string) => web(1, { spec: { hostname: 'first', subdomain } })
  expect(only(serviceOf(), [named('web')]).hostname).toBe('first')
  expect(only(serviceOf(), [named('db')])).not.toHaveProperty('hostname')
})
