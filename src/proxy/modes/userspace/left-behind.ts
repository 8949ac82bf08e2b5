import type { Tools } from '#dialects/iptables.ts'
import type { Kernel } from '#system/ports.ts'
import { PORTALS } from './names.ts'
import { standingPorts } from './read.ts'

/**
 * Whether rules of this mode stand there. A node in iptables mode may have hundreds of thousands of others, so they are not
 * read for that; and iptables-legacy makes a table that it is asked about by name, so of that one only what is there is read.
 */
export async function isLeftBehind(kernel: Kernel, { variant, save }: Tools): Promise<boolean> {
  if (variant === 'legacy') {
    const { stdout } = await kernel.run({ argv: [save] })
    return stdout.includes(`:${PORTALS.container} `)
  }
  const program = save.replace(/-save$/, '')
  const { code } = await kernel.run({ argv: [program, '-w', '5', '-t', 'nat', '-S', PORTALS.container] })
  return code === 0
}

/** Where listeners of an earlier start stood, by name. */
export async function portsLeftBehind(kernel: Kernel, tools: Tools): Promise<ReadonlyMap<string, number>> {
  if (!(await isLeftBehind(kernel, tools))) return new Map()
  return standingPorts((await kernel.run({ argv: [tools.save] })).stdout)
}
