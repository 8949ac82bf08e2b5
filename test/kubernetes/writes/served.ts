import { credentialsFrom } from '#kubernetes/access/credentials.ts'
import { ApiTransport } from '#kubernetes/transport.ts'
import type { TimedRequests } from '#kubernetes/writes/timed-answer.ts'
import { startApiServer } from '#lab/api-server/server.ts'
import { systemClock } from '#system/clock.ts'

/** An API server, and requests to it over real connections. */
export async function served() {
  const server = await startApiServer()
  server.store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } })
  const credentials = await credentialsFrom({
    master: server.url,
    env: {},
    files: { readText: () => Promise.reject(new Error('no files here')) },
    kernel: { run: async () => ({ code: 127, stdout: '', stderr: '' }) },
    clock: systemClock,
  })
  const transport = new ApiTransport({ credentials })
  const requests: TimedRequests = { transport, clock: systemClock }
  const close = async (): Promise<void> => {
    await transport.close()
    await server.close()
  }
  return { server, requests, close }
}
