import { describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { PaperKernel } from '#lab/paper/kernel.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { walk } from '../../../support/walk.ts'

const parsed = await parseArguments('run', ['--cluster-cidr=10.244.0.0/16,fd00:244::/32'], () => Promise.reject())
if (!parsed.ok) throw new Error(parsed.problems.join())
const { settings } = parsed

describe.each(['ipv4', 'ipv6'] as const)('a walk of 400 steps with failures on the way, on paper, %s', family => {
  test.each(['nft', 'legacy'] as const)(
    'leaves what a start from nothing would (iptables-%s)',
    async variant => {
      const name = family === 'ipv4' ? 'iptables' : 'ip6tables'
      const tools = { family, variant, restore: `${name}-${variant}-restore`, save: `${name}-${variant}-save` }
      const seed = Math.floor(Math.random() * 2 ** 31)
      const { failures } = await walk({
        seed,
        steps: 400,
        family,
        settings,
        mode: iptables(tools),
        kernel: new PaperKernel(),
      })
      expect(failures).toBeGreaterThan(5)
    },
    60_000,
  )
})
