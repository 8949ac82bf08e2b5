import { createInterface } from 'node:readline'
import { type ApiServerOptions, startApiServer } from '#lab/api-server/server.ts'
import type { ApiObject } from '#lab/api-server/store.ts'

// The mini API server as a program of its own, for a network namespace. Options come as JSON in argv, objects to put or
// remove as JSON lines on stdin; it prints its URL, and the requests it has had where that is asked for.

interface ApiProgramOptions {
  readonly options: Omit<ApiServerOptions, 'tokens'> & { readonly tokens?: readonly string[] }
  readonly objects: readonly ApiObject[]
}

interface Order {
  readonly put?: ApiObject
  readonly remove?: { readonly kind: string; readonly namespace: string; readonly name: string }
  readonly requests?: true
}

const { options, objects } = JSON.parse(process.argv[2]!) as ApiProgramOptions
const { tokens, ...rest } = options
const server = await startApiServer({ ...rest, ...(tokens !== undefined && { tokens: new Set(tokens) }) })
for (const object of objects) server.store.put(object)
console.log(server.url)
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line) as Order
  if (order.put !== undefined) server.store.put(order.put)
  if (order.remove !== undefined) server.store.remove(order.remove.kind, order.remove.namespace, order.remove.name)
  if (order.requests) console.log(JSON.stringify(server.requests))
}
