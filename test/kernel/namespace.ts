import { execFileSync, spawnSync } from 'node:child_process'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { Kernel } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// A network namespace of one's own, as a Kernel: every command runs inside it.

export interface Namespace {
  readonly name: string
  readonly kernel: Kernel
  end(): Promise<void>
}

/** Commands get a clean environment. Where our own program is one of them, it need not compile its sources each time. */
const { NODE_COMPILE_CACHE } = process.env
export const COMPILED = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE }

let made = 0

export async function newNamespace(prefix: string): Promise<Namespace> {
  const host = hostKernel()
  const name = `${prefix}-${process.pid}-${++made}`
  await must(host, anyCommand(['ip', 'netns', 'add', name]))
  return {
    name,
    kernel: {
      run: ({ argv, env, ...command }) =>
        host.run({ ...command, argv: ['ip', 'netns', 'exec', name, ...argv], env: { ...COMPILED, ...env } }),
    },
    end: async () => {
      await must(host, anyCommand(['ip', 'netns', 'delete', name]))
    },
  }
}

/** Why tests with these programs cannot run here; undefined where they can. */
export function cannotRun(...programs: readonly string[]): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may make network namespaces'
  const absent = ['ip', ...programs].find(program => spawnSync(program, ['--version']).error !== undefined)
  if (absent !== undefined) return `${absent} is not installed`
  try {
    const probe = `probe-${process.pid}`
    execFileSync('ip', ['netns', 'add', probe])
    execFileSync('ip', ['netns', 'delete', probe])
  } catch {
    return 'network namespaces cannot be made'
  }
  return undefined
}
