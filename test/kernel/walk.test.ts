import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseArguments } from '../../src/config/arguments.ts'
import { iptables } from '../../src/modes/iptables/index.ts'
import { hostKernel } from '../../src/system/kernel.ts'
import { addNamespaces, inNamespace, labName, removeNamespaces } from '../../src/verbs/sandbox/namespaces.ts'
import { walk } from '../walk.ts'
import { whyNot } from './ground.ts'

const why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack'])

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
        const parsed = await parseArguments('run', ['--cluster-cidr=10.244.0.0/16,fd00:244::/32'], () =>
          Promise.reject(),
        )
        if (!parsed.ok) throw new Error(parsed.problems.join())
        const variant = name.endsWith('legacy') ? 'legacy' : 'nft'
        const mode = iptables({ family, variant, restore: `${name}-restore`, save: `${name}-save` })
        const seed = Math.floor(Math.random() * 2 ** 31)
        const walked = await walk({
          seed,
          steps,
          family,
          settings: parsed.settings,
          mode,
          kernel: inNamespace(kernel, namespace),
        })
        expect(walked.failures).toBeGreaterThan(0)
      },
      120_000,
    )
  },
)
