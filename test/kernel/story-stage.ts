import { ROUTE_LOCALNET, writeSysctl } from '#dialects/sysctl.ts'
import { anyCommand } from '#lab/any-command.ts'
import type { Host } from '#lab/network/host.ts'
import type { Lab, PodOptions } from '#lab/network/lab.ts'
import type { ConnectOutcome } from '#lab/network/pod/messages.ts'
import { NODE, SERVICE_CIDRS } from '#lab/network/topology.ts'
import { Cluster } from '#proxy/cluster/cluster.ts'
import type { ServicePort } from '#proxy/cluster/service-ports.ts'
import type { Resolved } from '#proxy/desired/resolve.ts'
import type { End } from '#proxy/modes/trace.ts'
import { Lane } from '#proxy/sync/lane.ts'
import { systemClock } from '#system/clock.ts'
import type { Kernel } from '#system/ports.ts'
import { type Address, FAMILIES, hostPort } from '#values/address.ts'
import { hostCidr } from '#values/cidr.ts'
import type { ModeOf } from '../stories/check.ts'
import type { StoryPacket } from '../stories/expectations.ts'
import type { Step, Story } from '../stories/story.ts'
import { nodeFacts } from '../support/flags.ts'
import { flowsOf } from './flow-ways.ts'

// A lab → a stage for stories: the rules of each step in the real kernel, every endpoint answering, and packets sent.

export interface Sent {
  readonly failures: readonly string[]
  readonly sent: number
}

const LIMITS = { minMs: 0, retryMs: 1000, unwatchedMs: 1e9, distrustMs: 1e9 }
/** So many connections at the most until every endpoint has answered; with 4 endpoints one in a million fails by chance. */
const PATIENCE = 64
/** After this long without an answer a packet counts as dropped. */
const SILENCE_MS = 200
/** A kernel refuses a client six times, then once a second: UDP, which asks once, would go without an answer. */
const ICMP_LIMITS = ['net/ipv4/icmp_ratelimit', 'net/ipv6/icmp/ratelimit']
/** Over IPv6 this kernel may miss the first refusal of a TCP connection, and the second, a second and three seconds later. */
const ANSWER_MS = 8000

/** The lab's pods, by the last number of their addresses; that one of them is in no story does no harm. */
export function pods(numbers: readonly number[]): readonly PodOptions[] {
  return numbers.map(n => ({ name: `p${n}`, ip4: `10.244.1.${n}`, ip6: `fd00:244:1::${n}` }))
}

export class Stage {
  readonly #lab: Lab
  readonly #modeOf: ModeOf
  readonly #kernel: Kernel
  readonly #listening = new Map<string, Promise<void>>()
  readonly #added = new Set<string>()
  readonly #given = new Set<Address>()

  /** `kernel`: the node's, with whatever the mode needs beside it. */
  constructor(lab: Lab, modeOf: ModeOf, kernel: Kernel = lab.node.kernel) {
    this.#lab = lab
    this.#modeOf = modeOf
    this.#kernel = kernel
  }

  /** Ways that real routers would know: to addresses of load balancers, and from the other node to Services through this one. */
  async layRoutes(): Promise<void> {
    const { outside, remote } = this.#lab
    for (const host of [outside, remote]) {
      await host.addRoute('fd00:198::/32', NODE.ip6)
      for (const cidr of SERVICE_CIDRS) await host.addRoute(cidr, cidr.includes(':') ? NODE.ip6 : NODE.ip4)
    }
    for (const key of ICMP_LIMITS) await this.#lab.node.kernel.run(writeSysctl(key, 0))
  }

  /** Plays one story from an agent's start to its end; what the last story left is there when it starts. */
  async play(story: Story): Promise<Sent> {
    const cluster = new Cluster()
    let addresses: readonly Address[] = []
    const lanes = FAMILIES.map(family => {
      const nodeReader: ReturnType<typeof nodeFacts> = (...what) =>
        nodeFacts({ flags: story.flags, family, addresses })(...what)
      const mode = this.#modeOf(family)
      return new Lane({
        family,
        cluster,
        mode,
        kernel: this.#kernel,
        flows: flowsOf(this.#lab.node.namespace),
        clock: systemClock,
        limits: LIMITS,
        nodeReader,
        onReport: () => {},
      })
    })
    await this.#lab.node.kernel.run(writeSysctl(ROUTE_LOCALNET, story.flags.localhostNodePorts ? 1 : 0))
    let sent = 0
    const failures: string[] = []
    for (const step of story.steps) {
      addresses = step.addresses
      await this.#haveAddresses(addresses)
      const touched = step.events.map(event => cluster.apply(event).services)
      for (const lane of lanes) for (const services of touched) lane.touch(services)
      for (const { failure } of await Promise.all(lanes.map(lane => lane.once())))
        if (failure !== undefined) throw failure.error
      const resolved = lanes.flatMap(lane => [...lane.draft.resolved()])
      const packets = this.#packets(step)
      // A thousand endpoints to which no packet is sent need not be there.
      if (packets.length > 0) await this.#answerFor(resolved)
      const sticky = resolved.filter(({ traffic }) => traffic.stickySeconds !== undefined).map(({ port }) => port)
      failures.push(...(await this.#sendAll(packets, sticky)))
      if (packets.some(({ ends }) => ends[0]!.to === 'untouched')) await this.#forgetUntouched()
      sent += packets.length
    }
    return { failures, sent }
  }

  /**
   * The kernel remembers a connection that no rule touched and no endpoint answered for two minutes, as one not to be
   * touched. A client that draws the same port in that time would meet no endpoint, whatever the rules say by then.
   */
  async #forgetUntouched(): Promise<void> {
    for (const family of FAMILIES)
      await this.#lab.node.kernel.run(anyCommand(['conntrack', '-D', '-f', family, '-p', 'tcp', '--state', 'SYN_SENT']))
  }

  #packets(step: Step): readonly Packet[] {
    return step.expectations.flatMap(expectation =>
      expectation.about === 'packet' && isSendable(expectation.packet, expectation.ends, step.addresses)
        ? [
            {
              sent: expectation.packet,
              ends: expectation.ends,
              what: `${expectation.line.where}: ${step.title}: "${expectation.line.text}"`,
            },
          ]
        : [],
    )
  }

  /** In turn to each frontend: a scheduler that goes round would give each of two clients in step the same endpoint every time. */
  async #sendAll(packets: readonly Packet[], sticky: readonly ServicePort[]): Promise<readonly string[]> {
    const frontends = Map.groupBy(packets, ({ sent: { protocol, to, port } }) => `${protocol} ${to} ${port}`)
    const results = await Promise.all(
      [...frontends.values()].map(async queue => {
        const failures: string[] = []
        for (const packet of queue) failures.push(...(await this.#send(packet, sticky)))
        return failures
      }),
    )
    return results.flat()
  }

  async #send(packet: Packet, sticky: readonly ServicePort[]): Promise<readonly string[]> {
    const { sent, ends, what } = packet
    const host = await this.#source(sent)
    const wanted = new Map(ends.map(end => [keyOf(end, sent), end]))
    const seen = new Set<string>()
    const answerMs = Math.max(ANSWER_MS, this.#lab.patienceMs ?? 0)
    const isSticky = sticky.some(port => port.port === sent.port || port.nodePort === sent.port)
    const endless = ends[0]!.to === 'endpoint' && !isSticky
    for (let i = 0; i < (endless ? PATIENCE : 1) && seen.size < wanted.size; i++) {
      const outcome = await host.connect({
        protocol: sent.protocol as 'tcp' | 'udp',
        to: sent.to,
        port: sent.port,
        from: sent.from,
        timeoutMs: ends[0]!.to === 'endpoint' || ends[0]!.to === 'rejected' ? answerMs : SILENCE_MS,
      })
      const found = foundIn(outcome, sent)
      if (ends[0]!.to === 'untouched' ? found.startsWith('endpoint') : !wanted.has(found)) {
        return [`${what}: a real packet met ${found}`]
      }
      seen.add(found)
    }
    const missed = [...wanted.keys()].filter(key => endless && !seen.has(key))
    return missed.map(key => `${what}: no real packet of ${PATIENCE} met ${key}`)
  }

  async #source({ source, from }: StoryPacket): Promise<Host> {
    if (source === 'node') return this.#lab.node
    const here = podNumber(from)
    if (source === 'pod' && here !== undefined) return this.#pod(here)
    const host = source === 'pod' ? this.#lab.remote : this.#lab.outside
    await this.#addTo(host, from)
    return host
  }

  async #answerFor(resolved: readonly Resolved[]): Promise<void> {
    await Promise.all(
      resolved.flatMap(({ serving, traffic: { pools, protocol } }) => {
        const chosen = [...pools.cluster, ...pools.local].map(({ text }) => text)
        return [...new Set([...serving, ...chosen])].map(text => this.#answer(text, protocol))
      }),
    )
  }

  /** Endpoints answer with their own address and port as name. */
  #answer(text: string, protocol: string): Promise<void> {
    if (protocol === 'sctp') return Promise.resolve()
    const key = `${protocol} ${text}`
    const known = this.#listening.get(key)
    if (known !== undefined) return known
    const listening = this.#listen(text, protocol as 'tcp' | 'udp')
    this.#listening.set(key, listening)
    return listening
  }

  async #listen(text: string, protocol: 'tcp' | 'udp'): Promise<void> {
    const [, bracketed, plain, port] = /^(?:\[(.+)\]|(.+)):(\d+)$/.exec(text)!
    const address = bracketed ?? plain!
    const host = await this.#homeOf(address)
    if (host === undefined) return
    await host.listen(protocol, Number(port), { name: text, addresses: [address] })
  }

  async #homeOf(address: string): Promise<Host | undefined> {
    const { node, outside, remote } = this.#lab
    const here = podNumber(address)
    if (here !== undefined) return this.#pod(here)
    if (node.addresses.includes(address)) return node
    if (outside.addresses.includes(address)) return outside
    if (remote.addresses.includes(address)) return remote
    if (!/^10\.244\.2\.|^fd00:244:2:/.test(address)) return undefined
    await this.#addTo(remote, address)
    return remote
  }

  #pod(number: string): Host {
    const pod = this.#lab.pods.find(({ name }) => name === `p${number}`)
    if (pod === undefined) throw new Error(`the lab has no pod ${number}: name it where the lab is opened`)
    return pod
  }

  async #addTo(host: Host, address: string): Promise<void> {
    if (host.addresses.includes(address) || this.#added.has(`${host.name} ${address}`)) return
    this.#added.add(`${host.name} ${address}`)
    await host.addAddress(address)
  }

  /** The node has these addresses in this step, and none that an earlier step or story gave it. */
  async #haveAddresses(addresses: readonly Address[]): Promise<void> {
    const { node } = this.#lab
    for (const address of this.#given) {
      if (addresses.includes(address)) continue
      await node.kernel.run(anyCommand(['ip', 'address', 'delete', hostCidr(address), 'dev', 'eth0']))
      this.#given.delete(address)
    }
    // Of the addresses on the device of ipvs mode each is there for a Service, and goes with it.
    const { stdout } = await node.kernel.run(anyCommand(['ip', '-oneline', 'address', 'show', 'up']))
    for (const address of addresses) {
      if (stdout.includes(` ${address}/`)) continue
      await node.addAddress(address)
      this.#given.add(address)
    }
  }
}

interface Packet {
  readonly sent: StoryPacket
  readonly ends: readonly End[]
  readonly what: string
}

/**
 * SCTP has no sockets here; a client with a past would need that past; no host can send to another host's loopback; and a
 * host that shares a wire with the other node is answered by that node directly, past the one that rewrote the question.
 */
function isSendable(
  { protocol, last, source, from, to }: StoryPacket,
  ends: readonly End[],
  addresses: readonly Address[],
): boolean {
  if (protocol === 'sctp' || last !== undefined) return false
  if (source === 'node') return addresses.includes(from)
  if (to === '::1' || to.startsWith('127.')) return false
  return podNumber(from) !== undefined || !ends.some(isAnsweredPastUs)
}

function isAnsweredPastUs(end: End): boolean {
  return end.to === 'endpoint' && !end.masqueraded && isElsewhere(end.endpoint)
}

function isElsewhere(endpoint: string): boolean {
  return /^(?:10\.244\.2\.|\[fd00:244:2:|10\.99\.0\.3:|\[fd00:99::3\])/.test(endpoint)
}

function podNumber(address: string): string | undefined {
  return /^10\.244\.1\.(\d+)$/.exec(address)?.[1] ?? /^fd00:244:1::(\d+)$/.exec(address)?.[1]
}

/** A client on the node has the node's address either way. */
function keyOf(end: End, { source }: StoryPacket): string {
  if (end.to !== 'endpoint') return end.to
  return `endpoint ${end.endpoint}${end.masqueraded && source !== 'node' ? ' masqueraded' : ''}`
}

function foundIn(outcome: ConnectOutcome, { from, source, to, port }: StoryPacket): string {
  if (outcome.ok) {
    const masqueraded = source !== 'node' && outcome.answer.peer.address !== from
    const { name } = outcome.answer
    return name === hostPort(to, port) ? 'untouched' : `endpoint ${name}${masqueraded ? ' masqueraded' : ''}`
  }
  if (outcome.error === 'refused') return 'rejected'
  return outcome.error === 'timeout' || outcome.error === 'forbidden' ? 'dropped' : outcome.error
}
