import assert from 'node:assert/strict'
import { anyCommand } from '#lab/any-command.ts'
import { must } from '#system/must.ts'
import type { Command, Kernel } from '#system/ports.ts'

// One thing that a tool does with lines or with a command, and what it leaves behind: checked without a test runner, because
// some of the real tools have what they need in the emulated machine alone.

export interface ToolCase {
  readonly title: string
  /** Lines that were carried out before. */
  readonly given?: readonly string[]
  /** Rules of the filter table that stand by then. */
  readonly rules?: readonly string[]
  readonly run: readonly string[] | Command
  readonly verdict: 'done' | 'refused'
  /** The text of stderr; it is empty where this is absent. */
  readonly says?: RegExp
  readonly prints?: string
  /** Everything there is afterwards, sorted; absent where nothing changes. */
  readonly leaves?: readonly string[]
}

export interface ToolUnderContract {
  readonly name: string
  /** The command that carries out lines. */
  readonly restore: (lines: readonly string[]) => Command
  /** Everything the tool has made, sorted, without what the kernel chooses itself. */
  readonly contents: (kernel: Kernel) => Promise<readonly string[]>
  readonly cases: readonly ToolCase[]
}

export async function passes(one: ToolCase, { restore, contents }: ToolUnderContract, kernel: Kernel): Promise<void> {
  const { given, rules, run, verdict, says, prints, leaves } = one
  if (given !== undefined) await must(kernel, restore(given))
  if (rules !== undefined) {
    const input = ['*filter', ...rules, 'COMMIT', ''].join('\n')
    await must(kernel, anyCommand(['iptables-restore', '--noflush'], { input }))
  }
  const expected = leaves ?? (await contents(kernel))
  const { code, stdout, stderr } = await kernel.run('argv' in run ? run : restore(run))
  assert.equal(`${code === 0 ? 'done' : 'refused'}: ${says === undefined ? stderr : ''}`, `${verdict}: `)
  if (says !== undefined) assert.match(stderr, says)
  if (prints !== undefined) assert.equal(stdout, prints)
  assert.deepEqual(await contents(kernel), expected)
}
