import { createInterface } from 'node:readline'
import { type ApiServerOptions, startApiServer } from '#lab/api-server/server.ts'
import type { ApiObject } from '#lab/api-server/store.ts'

// The mini API server as a program of its own, for a network namespace. Options come as JSON in argv, objects to put or
// remove as JSON lines on stdin; it prints its URL.

interface ApiProgramOptions {
  readonly options: Omit<ApiServerOptions, 'tokens'> & { readonly tokens?: readonly string[] }
  readonly objects: readonly ApiObject[]
}

const { options, objects } = JSON.parse(process.argv[2]!) as ApiProgramOptions
const { tokens, ...rest } = options
const server = await startApiServer({ ...rest, ...(tokens !== undefined && { tokens: new Set(tokens) }) })
for (const object of objects) server.store.put(object)
console.log(server.url)
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as { put?: ApiObject; remove?: { kind: string; namespace: string; name: string } }
  if (order.put !== undefined) server.store.put(order.put)
  if (order.remove !== undefined) server.store.remove(order.remove.kind, order.remove.namespace, order.remove.name)
}
