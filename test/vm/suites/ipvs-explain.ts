import assert from 'node:assert/strict'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { ipvsSetup } from '#proxy/modes/ipvs/setup.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { FAMILIES } from '#values/address.ts'
import { PODS, randomQuestions } from '../../kernel/ask/random-questions.ts'
import { pods, Stage } from '../../kernel/story-stage.ts'
import { modeOf, SETUP } from '../../proxy/modes/ipvs/scene.ts'
import { PATIENCE_MS } from '../stage.ts'
import { suite } from '../suite.ts'

// What explain says of random packets in random clusters is what becomes of real ones, in ipvs mode.

const SEEDS = [1, 2, 3, 4, 5]
/** More than are sent: some have no host that could send them. */
const PACKETS = 60
const WANTED = 200

interface Theatre {
  readonly lab: Lab
  readonly stage: Stage
  sent: number
}

async function play(theatre: Theatre, seed: number): Promise<void> {
  const { story } = randomQuestions(seed, PACKETS, modeOf)
  const { failures, sent } = await theatre.stage.play(story)
  assert.equal(failures.join('\n'), '')
  theatre.sent += sent
}

export const ipvsExplain = suite<Theatre>('explain in ipvs mode', {
  async open() {
    const lab = await openLab(hostKernel(), { pods: pods(PODS), patienceMs: PATIENCE_MS })
    const stage = new Stage(lab, modeOf)
    await stage.layRoutes()
    for (const family of FAMILIES) assert.equal(await ipvsSetup(lab.node.kernel, { ...SETUP, family }), undefined)
    return { lab, stage, sent: 0 }
  },
  close: ({ lab }) => lab.close(),
  checks: {
    ...Object.fromEntries(
      SEEDS.map(seed => [`agrees with real packets in cluster ${seed}`, (theatre: Theatre) => play(theatre, seed)]),
    ),
    'was asked about 200 packets': async ({ sent }) => {
      assert.ok(sent >= WANTED, `only ${sent} packets were sent`)
    },
  },
})
