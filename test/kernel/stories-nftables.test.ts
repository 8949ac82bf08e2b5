import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { modeOf } from '../proxy/modes/nftables/scene.ts'
import { forNftables } from '../stories/exceptions.ts'
import { storyOf } from '../stories/story.ts'
import { whyNot } from './ground.ts'
import { pods, Stage } from './story-stage.ts'

// The stories in nftables mode, with real rules and real packets.

const why = await whyNot(['ip', 'nft', 'conntrack'])
const FOLDER = new URL('../../fixtures/stories/', import.meta.url)
const FILES = readdirSync(FOLDER)
  .filter(file => file.endsWith('.story'))
  .sort()

describe.skipIf(why !== undefined)(`stories of nftables with real packets${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: Lab
  let stage: Stage
  let packets = 0
  beforeAll(async () => {
    lab = await openLab(hostKernel(), { pods: pods([2, 5, 6, 7, 9, 10, 11]) })
    stage = new Stage(lab, modeOf)
    await stage.layRoutes()
  })
  afterAll(() => lab?.close())

  test.each(FILES)('%s', async file => {
    const { story } = forNftables(storyOf(`fixtures/stories/${file}`, readFileSync(new URL(file, FOLDER), 'utf8')))
    const { failures, sent } = await stage.play(story)
    packets += sent
    expect(failures.join('\n')).toBe('')
  })

  test('several hundred expectations were put to real packets', () => {
    expect(packets).toBeGreaterThan(400)
  })
})
