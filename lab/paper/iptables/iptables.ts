import type { Machine, PaperTool } from '#lab/paper/machine.ts'
import type { Command, Outcome } from '#system/ports.ts'
import { FAMILIES, type Family } from '#values/address.ts'
import type { Variant } from './builtin.ts'
import { runCommand, runRestore, runSave } from './command.ts'
import { type Program, programName } from './program.ts'
import { Ruleset } from './ruleset.ts'
import { dumped } from './save.ts'

// iptables and ip6tables 1.8.9, nft and legacy, with their -restore and -save, in memory.

const VARIANTS: readonly Variant[] = ['nft', 'legacy']

export interface PaperIptablesOptions {
  /** What the names without `-nft` and `-legacy` mean. */
  readonly plain: Variant
  readonly machine: Machine
}

export class PaperIptables implements PaperTool {
  readonly #plain: Variant
  readonly #machine: Machine
  #rulesets: readonly Ruleset[]

  constructor({ plain, machine }: PaperIptablesOptions) {
    this.#plain = plain
    this.#machine = machine
    this.#rulesets = VARIANTS.flatMap(variant => FAMILIES.map(family => new Ruleset({ variant, family })))
    machine.lookups.add(set => this.dump().some(line => line.includes(`--match-set ${set} `)))
  }

  answersTo(program: string): boolean {
    return programName(program) !== undefined
  }

  run({ argv: [path, ...words], input = '' }: Command): Outcome {
    const program = this.#program(path.slice(path.lastIndexOf('/') + 1))
    if (program.role === 'restore') return runRestore(program, words, input)
    return program.role === 'save' ? runSave(program, words) : runCommand(program, words)
  }

  dump(): readonly string[] {
    return this.#rulesets.flatMap(dumped)
  }

  flush(): void {
    for (const ruleset of this.#rulesets) ruleset.flush()
  }

  clone(machine: Machine): PaperIptables {
    const twin = new PaperIptables({ plain: this.#plain, machine })
    twin.#rulesets = this.#rulesets.map(ruleset => ruleset.clone())
    return twin
  }

  #program(called: string): Program {
    const { family, role, variant: named } = programName(called)!
    const variant = named ?? this.#plain
    return { called, family, role, variant, ruleset: this.#ruleset(variant, family), machine: this.#machine }
  }

  #ruleset(variant: Variant, family: Family): Ruleset {
    return this.#rulesets.find(ruleset => ruleset.variant === variant && ruleset.family === family)!
  }
}
