import { expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { NO_FLOWS, PaperListeners } from '#lab/paper/listeners.ts'
import { withRelay } from '#proxy/relay/with-relay.ts'
import { FAMILIES } from '#values/address.ts'
import { walk } from '../../../support/walk.ts'
import { userspaceIn } from './tools.ts'

const parsed = await parseArguments(
  'run',
  ['--cluster-cidr=10.244.0.0/16,fd00:244::/32', '--proxy-mode=userspace'],
  () => Promise.reject(),
)
if (!parsed.ok) throw new Error(parsed.problems.join())
const { settings } = parsed

test.each(FAMILIES)(
  'a walk of 400 steps with failures on the way leaves what a start from nothing would, %s',
  async family => {
    const kernel = withRelay(new PaperKernel(), new PaperListeners(), NO_FLOWS)
    const seed = Math.floor(Math.random() * 2 ** 31)
    const { failures } = await walk({ seed, steps: 400, family, settings, mode: userspaceIn(family), kernel })
    expect(failures).toBeGreaterThan(5)
  },
  60_000,
)
