import { describe } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { Host } from '#lab/network/host.ts'
import { RelayClient } from '#lab/network/relay/relay-client.ts'
import { must } from '#system/must.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { listenersContract } from '../contracts/listeners.ts'
import { whyNot } from './ground.ts'
import { newNamespace } from './namespace.ts'

// The relay as the lab runs it: in a network namespace, asked from outside of it.

const reason = await whyNot([])
const [HOST, OTHER] = ['127.0.0.1', '127.0.0.2']

describe.skipIf(reason !== undefined)(`in another namespace${reason === undefined ? '' : ` (${reason})`}`, () => {
  listenersContract(async () => {
    const namespace = await newNamespace('relay')
    await must(namespace.kernel, anyCommand(['ip', 'link', 'set', 'lo', 'up']))
    const relay = new RelayClient(namespace.name, { udpIdleMs: 250, report: () => {}, lost: () => {} })
    const addresses = { ip4: HOST, ip6: '::1', families: ['ipv4'] } as const
    const host = new Host(hostKernel(), { name: 'one', namespace: namespace.name, ...addresses })
    await host.listen('tcp', 8001, { name: 'one' })
    await host.listen('tcp', 8002, { name: 'two' })
    return {
      listeners: relay,
      ...{ host: HOST, otherHost: OTHER, endpoints: { one: `${HOST}:8001`, two: `${HOST}:8002` } },
      async whoAnswers(to, port) {
        const outcome = await host.connect({ to, port })
        return outcome.ok ? outcome.answer.name : outcome.error
      },
      async end() {
        await Promise.all([relay.stop(), host.stop()])
        await namespace.end()
      },
    }
  })
})
