import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { RelayClient } from '#lab/network/relay/relay-client.ts'
import type { RelayEvent } from '#proxy/relay/relay-events.ts'
import { withRelay } from '#proxy/relay/with-relay.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { userspaceIn } from '../proxy/modes/userspace/tools.ts'
import { forUserspace } from '../stories/for-userspace.ts'
import { storyOf } from '../stories/story.ts'
import { flowsOf } from './flow-ways.ts'
import { whyNot } from './ground.ts'
import { pods, Stage } from './story-stage.ts'

// The stories in userspace mode, with real rules, a real relay and real packets.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])
const FOLDER = new URL('../../fixtures/stories/', import.meta.url)
const FILES = readdirSync(FOLDER)
  .filter(file => file.endsWith('.story'))
  .sort()

describe.skipIf(why !== undefined)(
  `stories of userspace mode with real packets${why ? ` (skipped: ${why})` : ''}`,
  () => {
    let lab: Lab
    let relay: RelayClient
    let stage: Stage
    let packets = 0
    const events: RelayEvent[] = []
    beforeAll(async () => {
      lab = await openLab(hostKernel(), { pods: pods([2, 5, 6, 7, 9, 10, 11]) })
      relay = new RelayClient(lab.node.namespace, {
        udpIdleMs: 250,
        report: event => events.push(event),
        lost: () => {},
      })
      const kernel = withRelay(lab.node.kernel, relay, flowsOf(lab.node.namespace))
      stage = new Stage(lab, userspaceIn, kernel)
      await stage.layRoutes()
    })
    afterAll(async () => {
      await relay?.stop()
      await lab?.close()
    })

    test.each(FILES)('%s', async file => {
      const story = forUserspace(storyOf(`fixtures/stories/${file}`, readFileSync(new URL(file, FOLDER), 'utf8')))
      const { failures, sent } = await stage.play(story)
      packets += sent
      expect(failures.join('\n')).toBe('')
    })

    test('several hundred expectations were put to real packets, and the relay had nothing to complain of', () => {
      expect(packets).toBeGreaterThan(400)
      expect(events.map(({ what }) => what).filter(what => what !== 'endpoints')).toEqual(['ready'])
    })
  },
)
