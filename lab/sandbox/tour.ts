import type { Invocation } from '#command-line/start.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { ApiServer } from '#lab/api-server/server.ts'
import type { Lab } from '#lab/network/lab.ts'
import { print } from '#system/output.ts'
import type { Command } from '#system/ports.ts'
import type { HostKernel } from '#system/processes/kernel.ts'

// A sandbox that stands → what a newcomer should see of it: connections that arrive, and the rules that made them.

export interface Sandbox {
  readonly invocation: Invocation
  readonly kernel: HostKernel
  readonly lab: Lab
  readonly api: ApiServer
  readonly stop: AbortController
}

const DB = { to: '10.103.132.104', port: 3306 }

export async function showAround({ lab, api, invocation }: Sandbox): Promise<void> {
  const client = lab.pods.find(pod => pod.name === 'client')!
  const connections = [
    ['a pod, to the ClusterIP of db-service', await client.connect(DB)],
    [
      'a client beyond the node, to node port 30080 of web',
      await lab.outside.connect({ to: lab.node.ip4, port: 30080 }),
    ],
    ['a pod, over UDP to the ClusterIP of dns', await client.connect({ protocol: 'udp', to: '10.96.0.10', port: 53 })],
    ['a pod, to a Service without endpoints', await client.connect({ to: '10.103.20.30', port: 80 })],
  ] as const
  print(
    [
      '',
      'Connections through the rules that were just written:',
      ...connections.map(([who, outcome]) => `  ${who}: ${shown(outcome)}`),
    ].join('\n'),
  )
  const { argv, word } = LISTINGS[invocation.settings.mode]
  const { stdout } = await lab.node.kernel.run(anyCommand(argv))
  const lines = stdout.split('\n').filter(line => line.includes(word))
  const listing = `${argv.join(' ')} | grep ${word}`
  const enter = `ip netns exec ${lab.node.namespace}`
  print(
    [
      '',
      `$ ${listing}`,
      ...lines,
      '',
      `The node is the network namespace ${lab.node.namespace}; look around in it from another terminal:`,
      `  ${enter} ${listing}`,
      `The API server is at ${api.url}; a change there is in the kernel a moment later:`,
      `  curl -X DELETE ${api.url}/api/v1/namespaces/default/services/web`,
      '',
      'Up until Ctrl-C.',
    ].join('\n'),
  )
}

/** How a user looks for db-service, by mode. */
const LISTINGS: Readonly<
  Record<Sandbox['invocation']['settings']['mode'], { readonly argv: Command['argv']; readonly word: string }>
> = {
  iptables: { argv: ['iptables', '-t', 'nat', '-L'], word: 'db-service' },
  userspace: { argv: ['iptables', '-t', 'nat', '-L'], word: 'db-service' },
  nftables: { argv: ['nft', 'list', 'table', 'ip', 'kube-proxy'], word: DB.to },
  ipvs: { argv: ['ipvsadm', '-Ln'], word: DB.to },
}

function shown(outcome: Awaited<ReturnType<Sandbox['lab']['outside']['connect']>>): string {
  return outcome.ok
    ? `answered by ${outcome.answer.name}`
    : `${outcome.error}, after ${Math.round(outcome.elapsedMs)} ms`
}
