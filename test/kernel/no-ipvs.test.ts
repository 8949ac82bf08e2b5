import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { whyNot } from './ground.ts'
import { newNamespace } from './namespace.ts'

// ipvs mode where the kernel has no IPVS: the whole program, as a user starts it.

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const QUIET = [
  '--conntrack-max-per-core=0',
  '--conntrack-tcp-timeout-established=0s',
  '--conntrack-tcp-timeout-close-wait=0s',
]
const why = await whyNot(['ip', 'iptables', 'ip6tables', 'ipset'])
const { code } = await hostKernel().run(anyCommand(['ipvsadm', '-Sn']))

test.skipIf(why !== undefined)(
  `ipvs mode needs ipvsadm and ip_vs: one line says what is missing, and the program ends with 1${why ? ` (skipped: ${why})` : ''}`,
  async () => {
    const { kernel, end } = await newNamespace('sy-no-ipvs')
    try {
      // Where this kernel has IPVS, a PATH without its tool must do.
      const path = code === 0 ? ['PATH=/nowhere'] : []
      const program = [process.execPath, MAIN, '--proxy-mode=ipvs', '--master=http://127.0.0.1:1', ...QUIET]
      const outcome = await kernel.run(anyCommand(['env', ...path, ...program]))
      expect(outcome.code).toBe(1)
      const errors = outcome.stderr.split('\n').filter(line => line.startsWith('E'))
      expect(errors).toHaveLength(1)
      if (code !== 0 && code !== 127) expect(errors[0]).toMatch(/needs the kernel module ip_vs, .*modprobe ip_vs/)
      else expect(errors[0]).toMatch(/--proxy-mode=ipvs|iptables/)
    } finally {
      await end()
    }
  },
)
