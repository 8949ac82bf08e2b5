import type { Command, Outcome } from '#system/ports.ts'
import type { Machine, PaperTool } from '../machine.ts'
import { type IfKnown, IpSets } from './ip-sets.ts'
import { SetRefusal } from './set-entries.ts'
import { type SetLine, SetUsage, setLineOf } from './set-lines.ts'

// ipset 7 on paper: restore, save, the names, and destroy.

const PROGRAM = 'ipset v7.17'

export class PaperIpset implements PaperTool {
  readonly #sets: IpSets

  constructor(machine: Machine, sets = new IpSets(machine)) {
    this.#sets = sets
  }

  answersTo(program: string): boolean {
    return program === 'ipset'
  }

  run({ argv, input = '' }: Command): Outcome {
    const ifKnown = argv.includes('-exist') ? 'known' : 'refuse'
    const words = argv.slice(1).filter(word => word !== '-exist')
    const [verb = '', ...rest] = words
    if (verb === 'restore') return this.#restore(input.split('\n'), ifKnown)
    if (verb === 'save' && rest.length === 0) return done(this.dump())
    if (verb === 'list' && rest.join(' ') === '-name') return done(this.#sets.names)
    return this.#restore([words.join(' ')], ifKnown, 'alone')
  }

  dump(): readonly string[] {
    return this.#sets.names.flatMap(name => {
      const { timeout } = this.#sets.shapeOf(name)
      const members = [...this.#sets.membersOf(name)]
      return [
        `create ${name} ${this.#spec(name)}`,
        ...members.map(([entry, left]) => `add ${name} ${entry}${timeout === undefined ? '' : ` timeout ${left}`}`),
      ]
    })
  }

  flush(): void {
    this.#sets.clear()
  }

  clone(machine: Machine): PaperIpset {
    return new PaperIpset(machine, this.#sets.copyTo(machine))
  }

  /**
   * Lines that add to one set go to the kernel together, and so do those that delete: where ipset cannot read a line, those
   * that have not gone yet are lost. It stops at the first line that fails.
   */
  #restore(lines: readonly string[], ifKnown: IfKnown, how: 'alone' | 'lines' = 'lines'): Outcome {
    let waiting: (SetLine & { readonly number: number })[] = []
    let number = 0
    const send = () => {
      for (const line of waiting) {
        number = line.number
        line.run()
      }
      waiting = []
    }
    try {
      for (const [i, text] of lines.entries()) {
        if (text === '' || text.startsWith('#')) continue
        number = i + 1
        const line = { ...setLineOf(this.#sets, text, ifKnown), number }
        if (line.batch === undefined || line.batch !== waiting[0]?.batch) send()
        waiting.push(line)
        if (line.batch === undefined) send()
      }
      send()
      return done([])
    } catch (error) {
      if (error instanceof SetUsage) return { code: 2, stdout: '', stderr: `${PROGRAM}: ${error.message}\n` }
      if (!(error instanceof SetRefusal)) throw error
      const where = how === 'alone' ? '' : `Error in line ${number}: `
      return { code: 1, stdout: '', stderr: `${PROGRAM}: ${where}${error.message}\n` }
    }
  }

  #spec(name: string): string {
    const { type, family, most, timeout } = this.#sets.shapeOf(name)
    if (type === 'bitmap:port') return `${type} range 0-65535`
    const expiry = timeout === undefined ? '' : ` timeout ${timeout}`
    const word = family === 'ipv6' ? 'inet6' : 'inet'
    return `${type} family ${word} hashsize 1024 maxelem ${most}${expiry} bucketsize 12 initval 0x00000000`
  }
}

function done(lines: readonly string[]): Outcome {
  return { code: 0, stdout: lines.map(line => `${line}\n`).join(''), stderr: '' }
}
