import { anyCommand } from '#lab/any-command.ts'
import { labName } from '#lab/network/namespaces.ts'
import { ensurePrograms, type Program } from '#lab/packages.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// What a kernel test stands on: root, namespaces, tools. Where something is missing, the test says what.

const kernel = hostKernel()

/** Undefined where everything is there. */
export async function whyNot(programs: readonly Program[]): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'network namespaces take root'
  const tools = await ensurePrograms(kernel, programs, { install: 'never', say: () => {} })
  if (!tools.ok) return tools.problem
  const name = `${labName(process.pid)}-try`
  const added = await kernel.run(anyCommand(['ip', 'netns', 'add', name]))
  if (added.code !== 0) return `network namespaces cannot be made here: ${added.stderr.trim()}`
  await kernel.run(anyCommand(['ip', 'netns', 'delete', name]))
  return undefined
}
