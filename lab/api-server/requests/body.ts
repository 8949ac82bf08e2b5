import type { IncomingMessage } from 'node:http'
import { parse } from 'yaml'
import { mediaType, Refused } from './answers.ts'
import { decodedBody, PROTOBUF } from './protobuf/decode.ts'

// The body of a request, JSON, YAML or protobuf → the value in it.

/** The whole body, undefined where it is empty. What is neither JSON nor YAML is 415, as with the real server. */
export async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const type = mediaType(request) || 'application/json'
  const [, form] = /^application\/(?:.+\+)?(json|yaml)$/.exec(type) ?? []
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  if (type === PROTOBUF && chunks.length > 0) return decodedBody(Buffer.concat(chunks))
  const text = Buffer.concat(chunks).toString('utf8')
  if (text === '') return undefined
  if (form === undefined) {
    throw new Refused(
      415,
      `the body of the request is ${JSON.stringify(type)}, and only JSON and YAML are understood here`,
    )
  }
  try {
    return form === 'json' ? JSON.parse(text) : parse(text)
  } catch (error) {
    throw new Refused(400, `the body of the request is not ${form.toUpperCase()}: ${(error as Error).message}`)
  }
}
