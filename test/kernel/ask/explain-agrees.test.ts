import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { RelayClient } from '#lab/network/relay/relay-client.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { withRelay } from '#proxy/relay/with-relay.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { modeOf as nftablesIn } from '../../proxy/modes/nftables/scene.ts'
import { TOOLS, userspaceIn } from '../../proxy/modes/userspace/tools.ts'
import type { ModeOf } from '../../stories/check.ts'
import { flowsOf } from '../flow-ways.ts'
import { whyNot } from '../ground.ts'
import { pods, Stage } from '../story-stage.ts'
import { PODS, randomQuestions } from './random-questions.ts'

// What explain says of random packets in random clusters is what becomes of real ones.

const why = await whyNot(['ip', 'iptables', 'nft', 'conntrack'])
const WANTED = 200
/** More than are sent: some have no host that could send them. */
const PACKETS = 60
const SEEDS = [1, 2, 3, 4, 5]

describe.skipIf(why !== undefined)(`explain and real packets${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: Lab
  let relay: RelayClient | undefined
  // A mode each: rules of another would be in its way.
  beforeEach(async () => {
    lab = await openLab(hostKernel(), { pods: pods(PODS) })
  }, 60_000)
  afterEach(async () => {
    await relay?.stop()
    relay = undefined
    await lab?.close()
  })

  test.each<[string, ModeOf]>([
    ['nftables', nftablesIn],
    ['iptables', family => iptables(TOOLS[family])],
    ['userspace', family => userspaceIn(family)],
  ])('agree in %s mode', { timeout: 180_000 }, async (mode, modeOf) => {
    const { kernel, namespace } = lab.node
    if (mode === 'userspace') relay = new RelayClient(namespace, { udpIdleMs: 250, report: () => {}, lost: () => {} })
    const stage = new Stage(lab, modeOf, relay === undefined ? kernel : withRelay(kernel, relay, flowsOf(namespace)))
    await stage.layRoutes()
    let sent = 0
    for (const seed of SEEDS) {
      const { story, explanations } = randomQuestions(seed, PACKETS, modeOf)
      const played = await stage.play(story)
      expect(played.failures.join('\n')).toBe('')
      sent += played.sent
      // What is refused is refused for a reason that can be said, and rules and objects never say otherwise.
      for (const { ways, reason, findings } of explanations) {
        if (ways.every(({ end }) => end.to !== 'endpoint')) expect(reason?.text).toMatch(/\w/)
        expect(findings).toEqual([])
      }
    }
    expect(sent).toBeGreaterThanOrEqual(WANTED)
  })
})
