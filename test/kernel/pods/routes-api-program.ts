import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { startApiServer } from '#lab/api-server/server.ts'
import type { ApiObject } from '#lab/api-server/store.ts'

// The mini API server for several nodes: on an address that they reach, where it is itself on loopback alone. Objects to put or
// remove come as JSON lines on stdin; a line that says so cuts all connections and lets none in until the next that does not.

interface Order {
  readonly put?: ApiObject
  readonly remove?: { readonly kind: string; readonly name: string }
  readonly away?: boolean
}

const [host, port] = [process.argv[2]!, Number(process.argv[3])]
const server = await startApiServer()
let isAway = false
createServer(client => {
  if (isAway) return client.destroy()
  const upstream = connect(server.port, '127.0.0.1')
  for (const [from, to] of [
    [client, upstream],
    [upstream, client],
  ] as const) {
    from.on('error', () => to.destroy())
    from.pipe(to)
  }
}).listen(port, host, () => console.log('ready'))
for await (const line of createInterface({ input: process.stdin })) {
  const { put, remove, away } = JSON.parse(line) as Order
  if (put !== undefined) server.store.put(put)
  if (remove !== undefined) server.store.remove(remove.kind, undefined, remove.name)
  if (away !== undefined) isAway = away
  if (away) server.dropConnections()
  if (away !== undefined) console.log(away ? 'away' : 'back')
}
