import { flowsOf, listFlowsOf } from '#dialects/conntrack.ts'
import type { Explanation } from '#explain/answer.ts'
import type { Packet } from '#proxy/modes/trace.ts'
import type { Kernel } from '#system/ports.ts'
import { hostPort } from '#values/address.ts'

// The kernel's table of connections, and an explanation → the entries that packets follow instead of the rules.

/** None where the table cannot be asked. A TCP connection that stands goes on by itself, and a new one has a port of its own. */
export async function connectionsInTheWay(
  packet: Packet,
  { ways }: Pick<Explanation, 'ways'>,
  kernel: Kernel,
): Promise<readonly string[]> {
  const { protocol, from, to, port } = packet
  const { code, stdout } = await kernel.run(listFlowsOf({ protocol, from, to, toPort: port }))
  if (code !== 0) return []
  const lines = stdout.split('\n').filter(line => protocol === 'udp' || line.includes('SYN_SENT'))
  const reached = new Set(ways.flatMap(({ end }) => (end.to === 'endpoint' ? [end.endpoint] : [])))
  const answering = flowsOf(lines.join('\n')).map(one => hostPort(one.answeredBy, one.answeredByPort))
  const stale = [...new Set(answering)].filter(one => !reached.has(one) && reached.size > 0)
  return stale.map(
    one =>
      `the kernel tracks a connection from ${from} that ${one} answers, and no rule leads there: packets from the same port follow it until it ends ("conntrack -D -p ${protocol} --orig-src ${from} --orig-dst ${to} --orig-port-dst ${port}" ends it)`,
  )
}
