import { expect, test } from 'vitest'
import type { Event } from '#kubernetes/event.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { Agent } from '#proxy/agent/agent.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'
import { accepted } from '../../config/parsing.ts'
import { ObedientKernel } from '../../effects/obedient-kernel.ts'
import { captureLog } from '../../support/captured-log.ts'

// A host whose kernel lacks what nftables mode needs: it is known by the first rules that are refused.

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

async function agentOn(kernel: Kernel) {
  const [stop, heard] = [new AbortController(), captureLog()]
  const agent = await Agent.open({
    settings: (await accepted({ argv: ['--proxy-mode=nftables'] })).settings,
    nodeName: 'here',
    kernel,
    clock: new PaperClock(),
    log: heard.log,
    source: events,
    lastHeard: () => undefined,
  })
  return { agent, stop, heard, ended: agent.run(stop.signal) }
}

async function* events(signal: AbortSignal): AsyncGenerator<Event> {
  for (const kind of ['Service', 'EndpointSlice', 'Node'] as const) yield { type: 'synced', kind }
  await new Promise(resolve => signal.addEventListener('abort', resolve))
}

const checks = (ran: readonly Command[]) => ran.filter(({ argv }) => argv.includes('--check'))

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
  const { agent, stop, heard, ended } = await agentOn(kernel)
  await expect
    .poll(() => heard.lines.join('\n'))
    .toMatch(/"No nftables support for family" ipFamily="IPv6" reason="nftables mode is not/)
  expect(heard.lines.join('\n')).toMatch(/Operation not supported/)
  expect(agent.lanes.map(({ family }) => family)).toEqual(['ipv4'])
  await expect.poll(() => agent.health.healthy).toBe(true)
  stop.abort()
  await ended
})

test('a node whose first family lacks something ends the agent, with what it is', async () => {
  const { ended } = await agentOn(refusing('ip').kernel)
  await expect(ended).rejects.toThrow(
    /^nftables mode is not possible here for IPv4: nft --check -f - says: .*not supported/,
  )
})
