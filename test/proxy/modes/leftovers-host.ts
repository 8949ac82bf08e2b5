import { expect } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import { PaperKernel, type PaperKernelOptions } from '#lab/paper/kernel.ts'
import { removeLeftovers } from '#proxy/modes/leftovers.ts'
import type { RemovalResult } from '#proxy/modes/leftovers-removal.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'

// A host on which a proxy has left something.

export const OK: Outcome = { code: 0, stdout: '', stderr: '' }

/** A paper kernel; a test gives the answers of all other tools. */
export class Host implements Kernel {
  readonly paper: PaperKernel
  readonly commands: Command[] = []
  answers: (words: string, command: Command) => Outcome | undefined = () => undefined

  constructor(options: PaperKernelOptions = {}) {
    this.paper = new PaperKernel(options)
  }

  async run(command: Command): Promise<Outcome> {
    this.commands.push(command)
    return this.answers(command.argv.join(' '), command) ?? (await this.paper.run(command))
  }

  async restore(program: string, ...documents: readonly string[]): Promise<void> {
    for (const input of documents) {
      const argv = [`${program}-restore`, '--noflush'] as const
      expect(await this.paper.run(anyCommand(argv, { input }))).toMatchObject({ code: 0, stderr: '' })
    }
  }

  async removeLeftovers(): Promise<RemovalResult> {
    const clock = new PaperClock()
    let isDone = false
    const result = removeLeftovers({ kernel: this, clock }).finally(() => {
      isDone = true
    })
    while (!isDone) await clock.advance(50)
    return result
  }

  get proxys(): readonly string[] {
    return this.paper
      .dump()
      .split('\n')
      .filter(line => line.includes('KUBE-'))
  }
}
