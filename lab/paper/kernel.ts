import { type Command, type Kernel, NOT_FOUND, type Outcome } from '#system/ports.ts'
import type { Address } from '#values/address.ts'
import { PaperIptables } from './iptables/iptables.ts'
import { PaperIp } from './ipvs/ip.ts'
import { PaperIpset } from './ipvs/ipset.ts'
import { PaperIpvsadm } from './ipvs/ipvsadm.ts'
import { copyOf, type Machine, newMachine, type PaperTool } from './machine.ts'
import { PaperNft, type PaperNftOptions } from './nft/nft.ts'

// A Command → what the real tool would have answered; the kernel is in memory, and as strict as the tools are.

export interface PaperKernelOptions {
  /** The variant of the plain names `iptables`, `iptables-restore`, …; nft where absent. */
  readonly iptables?: 'nft' | 'legacy'
  readonly nft?: PaperNftOptions
  /** What ipvs mode needs besides rules: ipset, ipvsadm, and `ip` on a node with these addresses. Not installed where absent. */
  readonly ipvs?: { readonly addresses: readonly Address[] }
}

type PlannedFailure = (command: Command) => Outcome | undefined

/** The answer of iptables when another process holds the lock. */
const LOCKED: Outcome = { code: 4, stdout: '', stderr: 'Another app is currently holding the xtables lock.\n' }

export class PaperKernel implements Kernel {
  #machine = newMachine()
  #tools: readonly PaperTool[]
  readonly #commands: Command[] = []
  readonly #failures = new Set<PlannedFailure>()

  constructor({ iptables = 'nft', nft = {}, ipvs }: PaperKernelOptions = {}) {
    const machine = this.#machine
    this.#tools = [
      ...[new PaperIptables({ plain: iptables, machine }), new PaperNft(nft)],
      ...(ipvs === undefined ? [] : [new PaperIpset(machine), new PaperIpvsadm(), new PaperIp(ipvs.addresses)]),
    ]
  }

  /** The objects that rules refer to, for a test to add to. */
  get machine(): Machine {
    return this.#machine
  }

  /** Every command that was run, also those that were made to fail. */
  get commands(): readonly Command[] {
    return this.#commands
  }

  async run(command: Command): Promise<Outcome> {
    this.#commands.push(command)
    for (const failure of this.#failures) {
      const outcome = failure(command)
      if (outcome !== undefined) return outcome
    }
    const program = command.argv[0].slice(command.argv[0].lastIndexOf('/') + 1)
    const tool = this.#tools.find(candidate => candidate.answersTo(program))
    return tool?.run(command) ?? { code: NOT_FOUND, stdout: '', stderr: `${command.argv[0]}: not found in PATH` }
  }

  /** The next command fails and does nothing. */
  failNext(outcome: Outcome = LOCKED): void {
    const heal = this.failWhen(() => {
      heal()
      return true
    }, outcome)
  }

  /** Commands like this fail and do nothing, until the returned function is called. */
  failWhen(predicate: (command: Command) => boolean, outcome: Outcome = LOCKED): () => void {
    const failure: PlannedFailure = command => (predicate(command) ? outcome : undefined)
    this.#failures.add(failure)
    return () => this.#failures.delete(failure)
  }

  /** `iptables -F` and `-X` in every table of both families, and the same for every tool, as if by another program. */
  flush(): void {
    for (const tool of this.#tools) tool.flush()
  }

  /** All objects, one line each: two machines in the same state have the same text, however they got there. */
  dump(): string {
    return this.#tools
      .flatMap(tool => tool.dump())
      .map(line => `${line}\n`)
      .join('')
  }

  /** A copy without the history of commands; neither changes with the other. */
  clone(): PaperKernel {
    const twin = new PaperKernel()
    twin.#machine = copyOf(this.#machine)
    twin.#tools = this.#tools.map(tool => tool.clone(twin.#machine))
    return twin
  }
}
