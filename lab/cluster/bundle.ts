import { fileURLToPath } from 'node:url'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'

// The sources → the program in a folder, as the image has it.

const BUILD = fileURLToPath(new URL('../../build.ts', import.meta.url))

export async function buildProgram(kernel: Kernel, folder: string): Promise<void> {
  await must(kernel, anyCommand([process.execPath, BUILD, `--into=${folder}`], { timeoutMs: 300_000 }))
}
