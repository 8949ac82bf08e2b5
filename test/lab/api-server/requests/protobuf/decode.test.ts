import { describe, expect, test } from 'vitest'
import { decodedBody } from '#lab/api-server/requests/protobuf/decode.ts'

const field = (number: number, value: Buffer | string) => {
  const bytes = Buffer.from(value as string)
  const tag = (number << 3) | 2
  const head = tag < 128 ? [tag] : [(tag % 128) + 128, tag >> 7]
  return Buffer.concat([Buffer.from([...head, bytes.length]), bytes])
}
const varint = (number: number, value: number) => Buffer.from([number << 3, value])
const join = (...parts: readonly Buffer[]) => Buffer.concat(parts)
const body = (apiVersion: string, kind: string, raw: Buffer) =>
  join(Buffer.from('k8s\0'), field(1, join(field(1, apiVersion), field(2, kind))), field(2, raw))

describe('a body in the protobuf of Kubernetes', () => {
  test('becomes the object that JSON would have, without what was not set', () => {
    const labels = field(11, join(field(1, 'app'), field(2, 'web')))
    const metadata = field(1, join(field(1, 'web'), field(2, ''), field(8, ''), labels))
    const container = field(2, join(field(1, 'main'), field(2, 'x:1'), field(3, 'sh'), field(3, '-c'), field(8, '')))
    const template = field(3, field(2, join(container, field(24, ''))))
    const spec = field(2, join(varint(1, 0), template, varint(5, 0), varint(7, 0)))
    expect(decodedBody(body('apps/v1', 'Deployment', join(metadata, spec, field(3, varint(1, 0)))))).toEqual({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', labels: { app: 'web' } },
      spec: {
        replicas: 0,
        template: { spec: { containers: [{ name: 'main', image: 'x:1', command: ['sh', '-c'] }] } },
      },
    })
  })

  test('has bytes, amounts, times, and ports by name or number', () => {
    const port = (value: Buffer) => field(1, join(varint(3, 80), field(4, value)))
    const named = port(join(varint(1, 1), varint(2, 0), field(3, 'http')))
    const numbered = port(join(varint(1, 0), varint(2, 81)))
    expect(decodedBody(body('v1', 'Service', field(2, join(named, numbered)))).spec).toEqual({
      ports: [
        { port: 80, targetPort: 'http' },
        { port: 80, targetPort: 81 },
      ],
    })
    const entry = join(field(1, 'a'), field(2, Buffer.from([0xff, 0])))
    const born = field(1, field(8, varint(1, 100)))
    expect(decodedBody(body('v1', 'Secret', join(born, field(2, entry))))).toMatchObject({
      metadata: { creationTimestamp: '1970-01-01T00:01:40Z' },
      data: { a: '/wA=' },
    })
  })

  test.each([
    ['another kind', body('batch/v1', 'Job', Buffer.alloc(0)), /a Job as protobuf/],
    ['a field that is not known here', body('v1', 'ConfigMap', field(60, 'x')), /field 60 of ConfigMap is not read/],
    ['no protobuf', Buffer.from('{}'), /does not begin with "k8s"/],
    ['half of it', body('v1', 'ConfigMap', Buffer.from([0x0a, 9])), /ends in the middle of a field/],
  ])('is refused where it is %s', (_what, bytes, message) => {
    expect(() => decodedBody(bytes)).toThrow(message)
  })
})
