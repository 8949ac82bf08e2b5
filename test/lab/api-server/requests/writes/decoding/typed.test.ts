import { describe, expect, test } from 'vitest'
import { typedValue } from '#lab/api-server/requests/writes/decoding/typed.ts'

describe('a value of a type', () => {
  test('loses nulls and unknown fields, which are named with their places', () => {
    const sent = {
      metadata: { name: 'web', creationTimestamp: null, labels: { a: 'b' } },
      spec: { ports: [{ port: 80, targetport: 8080 }], selector: null, slector: { a: 'b' } },
    }
    expect(typedValue('V1Service', sent)).toEqual({
      value: { metadata: { name: 'web', labels: { a: 'b' } }, spec: { ports: [{ port: 80 }] } },
      unknown: ['spec.ports[0].targetport', 'spec.slector'],
    })
  })

  test('takes names and numbers where both are known, and amounts as numbers', () => {
    const resources = { requests: { cpu: 1 }, limits: { memory: '1Gi' } }
    const probe = (port: unknown) => ({ httpGet: { port } })
    const container = { name: 'a', resources, livenessProbe: probe('http'), readinessProbe: probe(80) }
    expect(typedValue('V1PodSpec', { containers: [container] }).value).toEqual({
      containers: [{ ...container, resources: { requests: { cpu: '1' }, limits: { memory: '1Gi' } } }],
    })
  })

  test.each([
    [
      'V1Deployment',
      { spec: { replicas: 'two' } },
      'string into Go struct field DeploymentSpec.spec.replicas of type int32',
    ],
    [
      'V1Service',
      { spec: { ports: {} } },
      'object into Go struct field ServiceSpec.spec.ports of type []v1.ServicePort',
    ],
    [
      'V1Service',
      { spec: { selector: [] } },
      'array into Go struct field ServiceSpec.spec.selector of type map[string]string',
    ],
    ['V1ConfigMap', { data: { a: 1 } }, 'number into Go struct field ConfigMap.data of type string'],
    [
      'V1PodSpec',
      { containers: [{ tty: 'yes' }] },
      'string into Go struct field Container.containers.tty of type bool',
    ],
  ])('of %s: %j is refused', (model, sent, message) => {
    expect(() => typedValue(model, sent)).toThrow(`json: cannot unmarshal ${message}`)
  })
})
