import { type Command, type Kernel, NOT_FOUND, type Outcome } from '#system/ports.ts'
import { IptablesTables } from './iptables-tables.ts'
import { NftTables } from './nft-tables.ts'

// The tools that pods' rules are written with, over text in memory; those that a test leaves out are not installed.

export class RuleKernel implements Kernel {
  readonly iptables = new IptablesTables()
  readonly nft = new NftTables()
  readonly commands: Command[] = []
  readonly absent = new Set<'iptables' | 'nft'>()
  /** Asked before each command; an outcome stands in place of what it would have done. */
  fate: (command: Command) => Outcome | undefined = () => undefined

  async run(command: Command): Promise<Outcome> {
    this.commands.push(command)
    const [program] = command.argv
    const tool = program === 'nft' ? 'nft' : /^ip6?tables/.test(program) ? 'iptables' : undefined
    if (tool !== undefined && this.absent.has(tool)) return { code: NOT_FOUND, stdout: '', stderr: 'not found' }
    return this.fate(command) ?? (tool === undefined ? { code: 0, stdout: '', stderr: '' } : this[tool].run(command))
  }

  dump(): readonly string[] {
    return [...this.iptables.dump(), ...this.nft.dump()]
  }

  flush(): void {
    this.iptables.flush()
    this.nft.flush()
  }
}
