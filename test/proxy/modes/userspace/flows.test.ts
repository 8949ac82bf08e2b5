import { describe, expect, test } from 'vitest'
import type { ClusterObject } from '#kubernetes/objects.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { PaperListeners } from '#lab/paper/listeners.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import { withRelay } from '#proxy/relay/with-relay.ts'
import { commandFlows } from '#proxy/sync/flows/command-flows.ts'
import { Lane } from '#proxy/sync/lane.ts'
import type { Command, Kernel } from '#system/ports.ts'
import { DEFAULT_FLAGS, nodeFacts } from '../../../support/flags.ts'
import { endpoint, ip, port, service, slice, slicePort } from '../../../support/objects.ts'
import { userspaceIn } from './tools.ts'

// In this mode conntrack shows our proxy ports as the answering side: flows that another port has answered must be
// deleted, and no others. A reply that is under way when its flow is deleted reaches the client from a port the client
// has never contacted.

const DNS = service('shop/dns', ['10.96.0.53'], { ports: [port({ port: 53, protocol: 'udp', nodePort: 30053 })] })
const pods = (...numbers: readonly number[]): ClusterObject =>
  slice(
    'shop/dns-1',
    'shop/dns',
    numbers.map(n => endpoint(`10.244.1.${n}`, { nodeName: 'here' })),
    { ports: [slicePort(5353, '', 'udp')] },
  )

/** As conntrack prints it: a client at port `from` sent to `frontend`, and the node answers from its port `at`. */
const flow = (from: number, frontend: string, at: number): string => {
  const [ip, number] = frontend.split(':')
  return `udp 17 29 src=10.244.1.9 dst=${ip} sport=${from} dport=${number} src=10.99.0.2 dst=10.244.1.9 sport=${at} dport=${from} mark=0 use=1\n`
}

/** The original destination, and the address and port that answered. */
const FORGOTTEN = /--orig-dst (\S+) --orig-port-dst (\d+) --reply-src (\S+) --reply-port-src (\d+)/g

function node(flows: () => string) {
  const forgotten: string[] = []
  const paper = new PaperKernel()
  const kernel: Kernel = {
    async run(command: Command) {
      const { argv } = command
      if (argv[0] === 'conntrack' && argv[1] === '-L') return { code: 0, stdout: flows(), stderr: '' }
      if (argv[0] !== 'sh') return paper.run(command)
      forgotten.push(...(command.input ?? '').matchAll(FORGOTTEN).map(([, ...names]) => names.join(' ')))
      return { code: 0, stdout: '', stderr: '' }
    },
  }
  const cluster = new Cluster()
  const lane = new Lane({
    family: 'ipv4',
    cluster,
    mode: userspaceIn('ipv4'),
    kernel: withRelay(kernel, new PaperListeners(), commandFlows(kernel)),
    clock: new PaperClock(),
    limits: { minMs: 0, retryMs: 1000, unwatchedMs: 1e9, distrustMs: 1e9 },
    nodeReader: nodeFacts({ flags: DEFAULT_FLAGS, family: 'ipv4', addresses: [ip('10.99.0.2')] }),
    onReport: () => {},
  })
  const put = async (...objects: readonly ClusterObject[]): Promise<readonly string[]> => {
    for (const object of objects) lane.touch(cluster.apply({ type: 'put', object }).services)
    const { failure, flows } = await lane.once()
    if (failure !== undefined || flows.error !== undefined) throw failure?.error ?? flows.error
    return forgotten.splice(0)
  }
  return { put }
}

describe('connections of UDP', () => {
  test('that an earlier start left, or others, are forgotten when the Service comes', async () => {
    // Paper listeners have the ports from 20,000 on.
    const { put } = node(() => flow(1, '10.96.0.53:53', 19_999) + flow(2, '10.96.0.53:53', 20_000))
    expect(await put(DNS, pods(3))).toEqual(['10.96.0.53 53 10.99.0.2 19999'])
  })

  test('go on while endpoints come and go', async () => {
    const { put } = node(() => flow(1, '10.96.0.53:53', 20_000))
    await put(DNS, pods(3))
    expect(await put(pods(3, 4))).toEqual([])
    expect(await put(pods(4))).toEqual([])
  })

  test('that another mode has left go on until their endpoint goes', async () => {
    const direct = (from: number): string =>
      flow(from, '10.96.0.53:53', 5353).replace('src=10.99.0.2', 'src=10.244.1.3')
    const { put } = node(() => direct(1) + flow(2, '10.96.0.53:53', 20_000))
    expect(await put(DNS, pods(3, 4))).toEqual([])
    expect(await put(pods(4))).toEqual(['10.96.0.53 53 10.244.1.3 5353'])
  })

  test('to a frontend that goes are forgotten, and to no other', async () => {
    const { put } = node(() => flow(1, '10.96.0.53:53', 20_000) + flow(2, '10.99.0.2:30053', 20_000))
    await put(DNS, pods(3))
    const inside = service('shop/dns', ['10.96.0.53'], { ports: [port({ port: 53, protocol: 'udp' })] })
    expect(await put(inside)).toEqual(['10.99.0.2 30053 10.99.0.2 20000'])
  })
})
