import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { storyOf } from '../stories/story.ts'
import { whyNot } from './ground.ts'
import { pods, Stage } from './story-stage.ts'

// The stories again, with real rules and real packets: what the tracer says of the rules is what the kernel does with them.

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])
const FOLDER = new URL('../../fixtures/stories/', import.meta.url)
const FILES = readdirSync(FOLDER)
  .filter(file => file.endsWith('.story'))
  .sort()

describe.skipIf(why !== undefined)(`stories with real packets${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: Lab
  let stage: Stage
  let packets = 0
  beforeAll(async () => {
    lab = await openLab(hostKernel(), { pods: pods([2, 5, 6, 7, 9, 10, 11]) })
    stage = new Stage(lab, family => {
      const name = family === 'ipv4' ? 'iptables' : 'ip6tables'
      return iptables({ family, variant: 'nft', restore: `${name}-nft-restore`, save: `${name}-nft-save` })
    })
    await stage.layRoutes()
  })
  afterAll(() => lab?.close())

  test.each(FILES)('%s', async file => {
    const story = storyOf(`fixtures/stories/${file}`, readFileSync(new URL(file, FOLDER), 'utf8'))
    const { failures, sent } = await stage.play(story)
    packets += sent
    expect(failures.join('\n')).toBe('')
  })

  test('several hundred expectations were put to real packets', () => {
    expect(packets).toBeGreaterThan(400)
  })
})
