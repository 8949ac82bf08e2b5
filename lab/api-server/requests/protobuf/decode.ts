import { Refused } from '../answers.ts'
import { type Message, messageOf } from './messages.ts'
import { type WireField, wireFields } from './wire.ts'

// A body in the protobuf of Kubernetes, as newer kubectls send for `create` and `drain` → the object as JSON would have it.

export const PROTOBUF = 'application/vnd.kubernetes.protobuf'
const MAGIC = Buffer.from('k8s\0', 'latin1')

export function decodedBody(body: Buffer): Record<string, unknown> {
  if (!body.subarray(0, MAGIC.length).equals(MAGIC)) throw unreadable('it does not begin with "k8s" and a zero')
  const envelope = new Map(fields(body.subarray(MAGIC.length)).map(({ number, value }) => [number, value]))
  const type = new Map(fields(bytesOf(envelope.get(1))).map(({ number, value }) => [number, bytesOf(value).toString()]))
  const [apiVersion = '', kind = ''] = [type.get(1), type.get(2)]
  const message = messageOf(kind)
  if (message === undefined) {
    throw new Refused(415, `the body is a ${kind} as protobuf, which this server reads of other kinds: send it as JSON`)
  }
  return { apiVersion, kind, ...decoded(bytesOf(envelope.get(2)), message, kind) }
}

function decoded(bytes: Buffer, message: Message, path: string): Record<string, unknown> {
  const object: Record<string, unknown> = {}
  for (const { number, value } of fields(bytes)) {
    const field = message.get(number)
    // Fields that are not set are sent, too.
    if (field === undefined && (Buffer.isBuffer(value) ? value.length === 0 : value === 0n)) continue
    if (field === undefined) {
      throw new Refused(
        415,
        `field ${number} of ${path} is not read as protobuf by this server: send the object as JSON`,
      )
    }
    const { name, type } = field
    const at = `${path}.${name}`
    if (type.startsWith('['))
      object[name] = [...((object[name] as unknown[]) ?? []), valueAs(value, type.slice(1, -1), at)]
    else if (type.startsWith('{'))
      object[name] = { ...(object[name] as object), ...entry(value, type.slice(1, -1), at) }
    else {
      const one = valueAs(value, type, at)
      if (one !== undefined && !isEmpty(one)) object[name] = one
    }
  }
  return object
}

function entry(value: WireField['value'], type: string, path: string): object {
  const parts = new Map(fields(bytesOf(value)).map(({ number, value: part }) => [number, part]))
  const key = bytesOf(parts.get(1)).toString()
  return { [key]: valueAs(parts.get(2) ?? Buffer.alloc(0), type, path) ?? '' }
}

function valueAs(value: WireField['value'], type: string, path: string): unknown {
  switch (type) {
    case 'text':
      return bytesOf(value).toString()
    case 'bytes':
      return bytesOf(value).toString('base64')
    case 'bool':
      return value === 0n ? undefined : true
    case 'number':
      return numberOf(value)
    case 'count':
      return numberOf(value) || undefined
    case 'Ignored':
      return undefined
    case 'Time':
      return time(bytesOf(value))
    case 'Quantity':
      return bytesOf(fields(bytesOf(value))[0]?.value).toString()
    case 'IntOrString':
      return intOrString(bytesOf(value))
    default:
      return decoded(bytesOf(value), messageOf(type)!, path)
  }
}

/** Nothing, where a time was not set. */
function time(bytes: Buffer): string | undefined {
  const seconds = fields(bytes).find(({ number }) => number === 1)?.value
  return typeof seconds === 'bigint'
    ? new Date(numberOf(seconds) * 1000).toISOString().replace('.000Z', 'Z')
    : undefined
}

function intOrString(bytes: Buffer): number | string {
  const parts = new Map(fields(bytes).map(({ number, value }) => [number, value]))
  return parts.get(1) === 1n ? bytesOf(parts.get(3)).toString() : numberOf(parts.get(2) ?? 0n)
}

function numberOf(value: WireField['value']): number {
  return typeof value === 'bigint' ? Number(BigInt.asIntN(64, value)) : 0
}

function bytesOf(value: WireField['value'] | undefined): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0)
}

function isEmpty(value: unknown): boolean {
  return value === '' || (typeof value === 'object' && value !== null && Object.keys(value).length === 0)
}

function fields(bytes: Buffer): readonly WireField[] {
  const found = wireFields(bytes)
  if (found === undefined) throw unreadable('it ends in the middle of a field')
  return found
}

function unreadable(why: string): Refused {
  return new Refused(400, `the body of the request is not the protobuf of Kubernetes: ${why}`)
}
