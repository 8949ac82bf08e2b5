import type { ClusterObject } from '#kubernetes/objects.ts'
import { endpoint, ip, type name, node, port, service, slice, slicePort } from '../support/objects.ts'

// Clusters for the page: a few Services of every kind, and ten thousand of one.

export function smallCluster(): readonly ClusterObject[] {
  const web = [
    endpoint('10.244.1.2', { nodeName: 'here', zone: 'a' }),
    endpoint('10.244.2.3', { nodeName: 'there', zone: 'b' }),
    endpoint('10.244.2.4', { nodeName: 'there', zone: 'b', ready: false, terminating: true }),
  ]
  return [
    node('here', { addresses: [ip('10.0.0.1')], zone: 'a' }),
    service('shop/web', ['10.96.0.10', 'fd00:96::10'], {
      type: 'LoadBalancer',
      ports: [port({ name: 'http', port: 80, nodePort: 30080 }), port({ name: 'dns', port: 53, protocol: 'udp' })],
      loadBalancerIPs: [ip('192.0.2.10')],
      externalPolicy: 'Local',
    }),
    slice('shop/web-1', 'shop/web', web, { ports: [slicePort(8080, 'http'), slicePort(5353, 'dns', 'udp')] }),
    slice('shop/web-6', 'shop/web', [endpoint('fd00:244:1::2', { nodeName: 'here' })], {
      ports: [slicePort(8080, 'http'), slicePort(5353, 'dns', 'udp')],
    }),
    service('shop/empty', ['10.96.0.11']),
    service('shop/headless', []),
    service('shop/elsewhere', [], { type: 'ExternalName' }),
  ]
}

/** Each with two endpoints. */
export function largeCluster(services: number): readonly ClusterObject[] {
  const objects: ClusterObject[] = [node('here', { addresses: [ip('10.0.0.1')] })]
  for (let i = 0; i < services; i++) {
    const [high, low] = [Math.floor(i / 250), (i % 250) + 1]
    const called = `team-${i % 40}/service-${String(i).padStart(5, '0')}`
    objects.push(service(called, [`10.96.${high}.${low}`]))
    const endpoints = [1, 2].map(pod =>
      endpoint(`10.24${pod}.${high}.${low}`, { nodeName: pod === 1 ? 'here' : 'there' }),
    )
    objects.push(slice(`${called}-a`, called, endpoints))
  }
  return objects
}

/** What no API server lets through, and the page must stand all the same. */
export const HOSTILE = `x</title><script>document.title='owned'</script><img src=x onerror="document.title='owned'">"'&`

export function hostileCluster(): readonly ClusterObject[] {
  const called = `shop/${HOSTILE.replaceAll('/', '\u2215')}` as ReturnType<typeof name>
  const bad = { ...service('shop/bad', ['10.96.9.9']), name: called, uid: HOSTILE }
  const ports = [{ ...port({ port: 80 }), name: HOSTILE as (typeof bad.ports)[number]['name'] }]
  const worse = endpoint('10.244.9.9', { nodeName: HOSTILE, zone: HOSTILE })
  const of = {
    ...slice('shop/bad-1', 'shop/bad', [worse]),
    service: called,
    ports: [{ ...slicePort(80), name: ports[0]!.name }],
  }
  return [{ ...bad, ports }, of]
}
