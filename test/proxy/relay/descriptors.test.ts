import { readdirSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import type { RelayAsked, RelaySaid } from '#lab/network/relay/relay-program.ts'
import { type Child, startChild } from '#system/processes/children.ts'
import { portOf, until } from './loopback.ts'

// A relay in a process that may have few files open, as `ulimit -n` says, and more clients than that.

const PROGRAM = fileURLToPath(new URL('../../../lab/network/relay/relay-program.ts', import.meta.url))
const LIMIT = 260
const HOST = '127.0.0.1'

let relay: Child
afterEach(() => relay.stop())

test('a process with few descriptors carries as many connections as it says, and outlives those beyond', {
  timeout: 30_000,
}, async () => {
  const said: RelaySaid[] = []
  const options = JSON.stringify({ portRange: 'any', udpIdleMs: 250 })
  relay = startChild({
    argv: ['sh', '-c', `ulimit -n ${LIMIT}; exec "$0" "$@"`, process.execPath, PROGRAM, options],
    onLine: line => said.push(JSON.parse(line) as RelaySaid),
  })
  const server = createServer(socket => socket.on('error', () => {}).write('welcome')).listen(0, HOST)
  await until(() => said.length > 0 && server.listening)
  const [{ say }] = said as [RelaySaid]
  if (say.what !== 'event' || say.event.what !== 'ready') throw new Error(JSON.stringify(say))
  expect(say.event.limit).toBe(LIMIT)
  const { connections } = say.event
  expect(connections).toBeGreaterThan(10)

  const asked: RelayAsked = {
    id: 1,
    request: {
      do: 'open',
      family: 'ipv4',
      wanted: [{ name: 'tcp a', pool: `to ${HOST}:${portOf(server)} at ${HOST}` }],
    },
  }
  relay.writeLine(JSON.stringify(asked))
  await until(() => said.some(({ say }) => say.what === 'done'))
  const { port } = said.at(-1)!.open.ipv4[0]!

  // The listener itself takes two, one in each worker: as many as a connection.
  const clients = Array.from({ length: connections + 20 }, () => connectTo(port))
  await until(() => clients.every(({ fate }) => fate !== undefined))
  expect(clients.filter(({ fate }) => fate === 'welcome')).toHaveLength(connections - 1)
  expect(clients.filter(({ fate }) => fate === 'ECONNRESET')).toHaveLength(21)
  expect(readdirSync(`/proc/${relay.pid}/fd`).length).toBeLessThanOrEqual(LIMIT)
  await until(() => said.some(({ say }) => say.what === 'event' && say.event.what === 'full'))

  for (const { leave } of clients) leave()
  await until(async () => {
    const late = connectTo(port)
    await until(() => late.fate !== undefined)
    late.leave()
    return late.fate === 'welcome'
  })
  server.close()
})

interface Client {
  fate: string | undefined
  leave(): void
}

function connectTo(port: number): Client {
  const socket = connect({ host: HOST, port })
  const client: Client = { fate: undefined, leave: () => socket.destroy() }
  socket.once('data', () => {
    client.fate = 'welcome'
  })
  socket.on('error', error => {
    client.fate ??= (error as NodeJS.ErrnoException).code ?? error.message
  })
  return client
}
