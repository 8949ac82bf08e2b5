import { AddressEvents } from '#cni/daemon/events/address-events.ts'
import { eventSender } from '#cni/daemon/events/event-sender.ts'
import { type NodeApi, nodeApi } from '#cni/daemon/rounds/node-api.ts'
import { podsOnNode } from '#kubernetes/pod-list.ts'
import { type ApiServer, type SeenRequest, startApiServer } from '#lab/api-server/server.ts'
import { systemClock } from '#system/clock.ts'
import { captureLog } from '../support/captured-log.ts'
import { range } from '../support/leases.ts'

// Everything the pods' daemon asks of an API server, part by part → the requests that were made.

type Asks = (api: NodeApi, server: ApiServer) => Promise<void>

/** By what it is for: who adds a part to the daemon adds it here, and its rights to manifests/pods/rbac.yaml. */
const PARTS: Readonly<Record<string, Asks>> = {
  'the pods that leases are of': async api => {
    await podsOnNode({ transport: await api.transport(), nodeName: api.nodeName, clock: systemClock })
  },
  'Events about addresses': async (api, server) => {
    const { log } = captureLog()
    const sender = eventSender({ api, clock: systemClock, log })
    const events = new AddressEvents(sender, () => ({ nodeName: 'here', hostname: 'here', now: systemClock.now() }))
    const usage = { size: 100n, assigned: 100, cooling: 0, elsewhere: 0, oldest: [] }
    const ranges = [range('10.9.1.0/24 10.9.1.1-10.9.1.254')] as const
    events.level({ network: 'mynet', set: 0, ranges, overlap: 'refuse', usage }, 'full', 'later')
    while (!server.requests.some(({ method }) => method === 'POST')) await systemClock.sleep(5)
    await sender.close()
  },
}

export async function podsRequestsMade(): Promise<readonly SeenRequest[]> {
  const server = await startApiServer()
  const settings = { master: server.url, hostnameOverride: 'here' }
  const kernel = { run: () => Promise.reject(new Error('no kernel here')) }
  const api = await nodeApi({ settings, kernel, clock: systemClock, env: {} })
  try {
    for (const ask of Object.values(PARTS)) await ask(api!, server)
    return server.requests
  } finally {
    await api!.close()
    await server.close()
  }
}
