import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { LIST_ADDRESSES } from '#dialects/ip.ts'
import type { Event, Source } from '#kubernetes/event.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { Agent } from '#proxy/agent/agent.ts'
import type { Report } from '#proxy/sync/report.ts'
import type { Command, CommitListener, Kernel, Outcome, RulesetWatch } from '#system/ports.ts'
import { accepted } from '../../config/parsing.ts'
import { ObedientKernel } from '../../effects/obedient-kernel.ts'
import { captureLog } from '../../support/captured-log.ts'
import { service } from '../../support/objects.ts'

const REFUSAL: Outcome = { code: 1, stdout: '', stderr: 'Error: Could not process rule: Operation not supported\n' }

/** Refuses every document about tables of these families. */
function refusing(...families: readonly ('ip' | 'ip6')[]): { readonly kernel: Kernel; readonly ran: Command[] } {
  const obedient = new ObedientKernel()
  const ours = families.map(family => ` ${family} kube-proxy`)
  const isRefused = ({ input = '' }: Command): boolean => ours.some(words => input.includes(words))
  return {
    ran: obedient.commands,
    kernel: {
      run: async command => {
        const outcome = await obedient.run(command)
        return isRefused(command) ? REFUSAL : outcome
      },
    },
  }
}

async function agentOn(kernel: Kernel, signal?: AbortSignal, rulesetWatch?: RulesetWatch) {
  const [stop, heard] = [new AbortController(), captureLog()]
  const agent = await Agent.open({
    settings: (await accepted({ argv: ['--proxy-mode=nftables'] })).settings,
    nodeName: 'here',
    kernel,
    clock: new PaperClock(),
    log: heard.log,
    source: events,
    lastHeard: () => undefined,
    ...(rulesetWatch && { rulesetWatch }),
  })
  return { agent, stop, heard, ended: agent.run(signal ?? stop.signal) }
}

async function* events(signal: AbortSignal): AsyncGenerator<Event> {
  for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) yield { type: 'synced', kind }
  await aborted(signal)
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

function watched() {
  const listeners = new Set<CommitListener>()
  const watch: RulesetWatch = {
    ...{ delivery: 'exact', isListening: true, hear: () => {} },
    ...{ generation: () => undefined, namespace: () => undefined },
    listen: listener => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  return { watch, listeners }
}

const checks = (ran: readonly Command[]) => ran.filter(({ argv }) => argv.includes('--check'))

describe('a host whose kernel may lack what nftables mode needs is known by the first rules: of', () => {
  test('rules that are taken: what else the mode may need is not tried', async () => {
    const { kernel, ran } = refusing()
    const { agent, stop, ended } = await agentOn(kernel)
    await expect.poll(() => agent.health.healthy).toBe(true)
    expect(checks(ran)).toEqual([])
    stop.abort()
    await ended
  })

  test('a second family that lacks something is left out, and the first is served', async () => {
    const { kernel } = refusing('ip6')
    const { watch, listeners } = watched()
    const { agent, stop, heard, ended } = await agentOn(kernel, undefined, watch)
    await expect
      .poll(() => heard.lines.join('\n'))
      .toMatch(/"No nftables support for family" ipFamily="IPv6" reason="nftables mode is not/)
    expect(heard.lines.join('\n')).toMatch(/Operation not supported/)
    expect(agent.lanes.map(({ family }) => family)).toEqual(['ipv4'])
    await expect.poll(() => agent.health.healthy).toBe(true)
    // The lane that was left out hears of no commit any more.
    expect(listeners.size).toBe(1)
    stop.abort()
    await ended
    expect(listeners.size).toBe(0)
  })

  test('a node whose first family lacks something ends the agent, with what it is', async () => {
    const { ended } = await agentOn(refusing('ip').kernel)
    await expect(ended).rejects.toThrow(
      /^nftables mode is not possible here for IPv4: nft --check -f - says: .*not supported/,
    )
  })
})

interface AgentWorld {
  readonly kernel?: Kernel
  readonly source?: Source
  readonly argv?: readonly string[]
}

/** An agent whose time a test moves, with what it has reported. */
async function agentAt(
  clock: PaperClock,
  { kernel = new ObedientKernel(), source = events, argv = [] }: AgentWorld = {},
) {
  const [stop, heard, reports] = [new AbortController(), captureLog(), [] as Report[]]
  const agent = await Agent.open({
    settings: (await accepted({ argv: ['--proxy-mode=nftables', ...argv] })).settings,
    ...{ nodeName: 'here', kernel, clock, log: heard.log, source, lastHeard: () => undefined },
    onReport: report => reports.push(report),
  })
  const ended = agent.run(stop.signal)
  await clock.advance(1)
  const end = async () => {
    stop.abort()
    await ended
  }
  return { agent, heard, reports, end }
}

const inFamilies = (reports: readonly Report[]) => reports.map(({ family }) => family).toSorted()

describe('an agent', () => {
  test('that is to end before it runs ends at once, and has written nothing', async () => {
    const kernel = new ObedientKernel()
    const { agent, ended } = await agentOn(kernel, AbortSignal.abort())
    await ended
    expect(agent.lanes).toHaveLength(2)
    expect(kernel.commands.filter(({ does }) => does === 'write')).toEqual([])
  })

  test('syncs each family once all lists have arrived, and is healthy then', async () => {
    const clock = new PaperClock()
    const { agent, reports, end } = await agentAt(clock)
    expect(inFamilies(reports)).toEqual(['ipv4', 'ipv6'])
    expect(agent.health.healthy).toBe(true)
    await end()
  })

  test('writes nothing before, and waits for its own Node for half a minute at most', async () => {
    const clock = new PaperClock()
    const kernel = new ObedientKernel()
    const source = withoutNode
    const { agent, heard, reports, end } = await agentAt(clock, { kernel, source })
    await clock.advance(30_000)
    expect([reports, kernel.commands.filter(({ does }) => does === 'write')]).toEqual([[], []])
    await clock.advance(1000)
    expect(inFamilies(reports)).toEqual(['ipv4', 'ipv6'])
    expect(heard.lines.filter(line => line.includes('Timed out waiting for our Node'))).toHaveLength(1)
    expect(agent.cluster.complete).toBe(true)
    await end()
  })

  test('reads the kernel again where its rules may have been changed', async () => {
    const clock = new PaperClock()
    const { agent, reports, end } = await agentAt(clock)
    agent.distrust()
    await clock.advance(5000)
    expect(
      reports
        .slice(2)
        .filter(({ looked }) => looked)
        .map(({ family }) => family)
        .toSorted(),
    ).toEqual(['ipv4', 'ipv6'])
    await end()
  })

  test('follows the addresses of its node, though no program reports them', async () => {
    const clock = new PaperClock()
    const addresses = ['10.99.0.2']
    const obedient = new ObedientKernel()
    const kernel: Kernel = {
      run: async command => {
        const outcome = await obedient.run(command)
        if (command.argv.join(' ') !== LIST_ADDRESSES.argv.join(' ')) return outcome
        const links = addresses.map(local => ({
          ifname: 'eth0',
          addr_info: [{ family: 'inet', local, prefixlen: 24 }],
        }))
        return { ...outcome, stdout: JSON.stringify(links) }
      },
    }
    const { agent, end } = await agentAt(clock, { kernel, argv: ['--nodeport-addresses=10.99.0.0/16'] })
    const nodePorts = () => agent.lanes[0]!.draft.nodeFacts!.view.nodePortAddresses
    expect(nodePorts()).toEqual(['10.99.0.2'])
    addresses.push('10.99.0.3')
    await clock.advance(120_000)
    expect(nodePorts()).toEqual(['10.99.0.2', '10.99.0.3'])
    await end()
  })

  test('looks for rules of other modes once its own stand in every family, and not before', async () => {
    const clock = new PaperClock()
    const obedient = new ObedientKernel()
    let isRefused = true
    // Another program holds the lock: IPv6 waits.
    const kernel: Kernel = {
      run: async command => {
        const outcome = await obedient.run(command)
        const isSix = command.does === 'write' && command.input?.includes(' ip6 kube-proxy') === true
        return isSix && isRefused
          ? { code: 1, stdout: '', stderr: 'Error: Resource temporarily unavailable\n' }
          : outcome
      },
    }
    const asked = () =>
      obedient.commands.some(({ argv }) => argv[0].startsWith('iptables-') && argv.includes('--version'))
    const { reports, end } = await agentAt(clock, { kernel })
    expect([inFamilies(reports.filter(({ failure }) => failure === undefined)), asked()]).toEqual([['ipv4'], false])
    isRefused = false
    await clock.advance(60_000)
    expect(asked()).toBe(true)
    await end()
  })

  test('has its observers hear of each event, each change that waits, and each report', async () => {
    const clock = new PaperClock()
    const more = Promise.withResolvers<void>()
    async function* source(signal: AbortSignal): AsyncGenerator<Event> {
      for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) yield { type: 'synced', kind }
      await more.promise
      yield { type: 'put', object: service('shop/cart', ['10.96.0.10']) }
      await aborted(signal)
    }
    const { agent, end } = await agentAt(clock, { source })
    const said: string[] = []
    agent.observe({
      applied: ({ type }) => said.push(type),
      queued: family => said.push(family),
      reported: ({ family, units }) => said.push(`${family} ${units.added > 0 ? 'added' : 'nothing'}`),
    })
    more.resolve()
    await clock.advance(10_000)
    expect(said).toEqual(['put', 'ipv4', 'ipv6', 'ipv4 added', 'ipv6 nothing'])
    await end()
  })
})

async function* withoutNode(signal: AbortSignal): AsyncGenerator<Event> {
  for (const kind of ['Service', 'EndpointSlice'] as const) yield { type: 'synced', kind }
  await aborted(signal)
}
