import { expect, test } from 'vitest'
import { parseArguments } from '#config/arguments.ts'
import { fitMode, isMissingFamily } from '#proxy/agent/fit-mode.ts'
import type { Kernel } from '#system/ports.ts'

// What a host lacks for a mode, and in which family.

/** A host with every tool, whose kernel has IPVS over IPv4 alone. */
const kernel: Kernel = {
  run: async ({ argv }) =>
    argv[0] === 'ipvsadm' && argv.some(word => word.startsWith('[2001:db8::]'))
      ? { code: 1, stdout: '', stderr: 'Protocol not available\n' }
      : { code: 0, stdout: '', stderr: '' },
}

test('a family without IPVS is one that can be done without, and the other is carried', async () => {
  const parsed = await parseArguments('run', ['--proxy-mode=ipvs'], () => Promise.reject())
  if (!parsed.ok) throw new Error(parsed.problems.join())
  expect((await fitMode(parsed.settings, 'ipv4', kernel)).mode.name).toBe('ipvs')
  const error: unknown = await fitMode(parsed.settings, 'ipv6', kernel).catch(error => error)
  expect(isMissingFamily(error)).toBe(true)
  expect((error as Error).message).toContain('the kernel refuses a virtual server at [2001:db8::]:20000')
})
