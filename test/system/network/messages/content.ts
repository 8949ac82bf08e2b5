import { attributesIn, messagesIn } from '#system/netlink/message.ts'
import type { RouteRequest } from '#system/network/conversation.ts'

// Messages, ours and those that `ip` and `bridge` were seen to send → what they say: attributes may stand in any order.

export interface Content {
  readonly type: number
  readonly flags: number
  readonly header: string
  readonly attributes: readonly string[]
}

/** A whole message, in hexadecimal. */
export function contentOfBytes(hex: string, headerBytes: number): Content {
  const [one] = [...messagesIn(Buffer.from(hex, 'hex'))]
  const { type, flags, body } = one!
  return { type, flags: flags & ~5, header: body.toString('hex', 0, headerBytes), attributes: parts(body, headerBytes) }
}

export function contentOf({ type, flags = 0, header, attributes = [] }: RouteRequest): Content {
  return { type, flags, header: header.toString('hex'), attributes: parts(Buffer.concat(attributes), 0) }
}

/** Attributes as `type=value`, sorted. */
export function parts(body: Buffer, from: number): readonly string[] {
  return [...attributesIn(body, from)].map(([type, value]) => `${type}=${value.toString('hex')}`).sort()
}
