import type { Command, Kernel, Outcome } from '#system/ports.ts'

// A kernel whose tools are killed half way through what they were given to write.

export class DyingTools implements Kernel {
  readonly #kernel: Kernel
  #lines: number | undefined

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  /** So many lines of the next document are carried out, and then its tool is ended; of one with rules, so many blocks. */
  dieAfter(lines: number): void {
    this.#lines = lines
  }

  async run(command: Command): Promise<Outcome> {
    if (this.#lines === undefined || command.input === undefined) return this.#kernel.run(command)
    const pieces = command.input.split(command.argv[0].includes('tables') ? /(?<=^COMMIT\n)/m : /(?<=\n)/)
    const input = pieces.slice(0, this.#lines).join('')
    this.#lines = undefined
    if (input !== '') await this.#kernel.run({ ...command, input })
    return { code: 137, stdout: '', stderr: 'Killed' }
  }
}
