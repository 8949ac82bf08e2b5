import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { anyCommand } from '#lab/any-command.ts'
import { addNamespaces, inNamespace, labName, removeNamespaces } from '#lab/network/namespaces.ts'
import { iptables } from '#proxy/modes/iptables/index.ts'
import { nftables } from '#proxy/modes/nftables/index.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { unitText } from '../support/units.ts'
import { walk } from '../support/walk.ts'
import { whyNot } from './ground.ts'

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'nft', 'conntrack'])

async function settingsFor(mode: 'iptables' | 'nftables') {
  const flags = [`--proxy-mode=${mode}`, '--cluster-cidr=10.244.0.0/16,fd00:244::/32']
  const parsed = await parseArguments('run', flags, () => Promise.reject())
  if (!parsed.ok) throw new Error(parsed.problems.join())
  return parsed.settings
}

describe.skipIf(why !== undefined)(
  `a walk with failures on the way, on the real kernel${why ? ` (skipped: ${why})` : ''}`,
  () => {
    const kernel = hostKernel()
    const namespace = `${labName(process.pid)}-walk`
    beforeAll(() => addNamespaces(kernel, [namespace]))
    afterAll(() => removeNamespaces(kernel, [namespace]))

    test.each([
      ['iptables-nft', 'ipv4', 400],
      ['iptables-legacy', 'ipv4', 100],
      ['ip6tables-nft', 'ipv6', 100],
    ] as const)(
      'leaves what a start from nothing would (%s)',
      async (name, family, steps) => {
        const variant = name.endsWith('legacy') ? 'legacy' : 'nft'
        const mode = iptables({ family, variant, restore: `${name}-restore`, save: `${name}-save` })
        const seed = Math.floor(Math.random() * 2 ** 31)
        const walked = await walk({
          seed,
          steps,
          family,
          settings: await settingsFor('iptables'),
          mode,
          kernel: inNamespace(kernel, namespace),
        })
        expect(walked.failures).toBeGreaterThan(0)
      },
      120_000,
    )

    test.each([
      ['ipv4', 'at-once', 200],
      ['ipv6', 'at-once', 100],
      // What kernels before 6.2 are given works with any.
      ['ipv4', 'when-forgotten', 100],
    ] as const)(
      'leaves what a start from nothing would (nftables, %s, chains go %s)',
      async (family, chainRemoval, steps) => {
        const mode = nftables({ family, chainRemoval })
        const seed = Math.floor(Math.random() * 2 ** 31)
        const here = inNamespace(kernel, namespace)
        const walked = await walk({
          seed,
          steps,
          family,
          settings: await settingsFor('nftables'),
          mode,
          kernel: here,
          mayRemain: (unit, text) =>
            chainRemoval === 'when-forgotten' && unitText(unit).startsWith('chain ') && text === '',
        })
        expect(walked.failures).toBeGreaterThan(0)
        await here.run(anyCommand(['nft', 'flush', 'ruleset']))
      },
      120_000,
    )
  },
)
