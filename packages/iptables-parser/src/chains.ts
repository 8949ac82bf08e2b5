import { canonical } from './canonical.ts'
import { ChainNames, chainLine, type RuleLine, ruleLine } from './lines.ts'
import type { Family } from './parts.ts'
import { readRule } from './read-rule.ts'
import { type Line, scan, type Visitor } from './scan.ts'
import { isPlainlyCanonical } from './shapes.ts'

// The text of iptables-save → per table and chain the canonical text of its rules, fast enough for half a million rules.

/** Table → chain → its canonical rules, one per line; a chain without rules has an empty text. */
export type ChainTexts = ReadonlyMap<string, ReadonlyMap<string, string>>

/** Throws a ParseError. Rules that are canonical as they stand are cut out of the text, many at once; others are rewritten. */
export function canonicalChains(text: string, family: Family = 'ipv4'): ChainTexts {
  const collecting = new Collecting(text, family)
  scan(text, collecting)
  return collecting.texts()
}

class Collecting implements Visitor {
  readonly #text: string
  readonly #family: Family
  readonly #names: ChainNames
  readonly #tables = new Map<string, Map<string, string[]>>()
  #chains = new Map<string, string[]>()
  #chain = ''
  #pieces: string[] = []
  /** Lines of one chain that follow each other and are canonical as they stand. */
  #run = { start: 0, end: 0 }

  constructor(text: string, family: Family) {
    this.#text = text
    this.#family = family
    this.#names = new ChainNames(text)
  }

  texts(): ChainTexts {
    return new Map(
      [...this.#tables].map(([table, chains]) => [
        table,
        new Map([...chains].map(([chain, pieces]) => [chain, pieces.join('\n')])),
      ]),
    )
  }

  table(name: string): void {
    this.#chains = this.#tables.get(name) ?? new Map()
    this.#tables.set(name, this.#chains)
  }

  chain(line: Line): void {
    this.#piecesOf(chainLine(this.#text, line).name)
  }

  rule(line: Line): void {
    const rule = ruleLine(this.#text, line)
    const chain = this.#names.of(rule)
    if (chain !== this.#chain) this.#turnTo(chain)
    if (!isPlainlyCanonical(this.#text, rule.body)) this.#rewrite(rule)
    else if (this.#run.end + 1 === rule.body) this.#run.end = rule.end
    else {
      this.#endRun()
      this.#run = { start: rule.body, end: rule.end }
    }
  }

  note(): void {}

  commit(): void {
    this.#endRun()
    this.#chain = ''
  }

  #rewrite({ body, end, place }: RuleLine): void {
    this.#endRun()
    this.#pieces.push(canonical(readRule(this.#text.slice(body, end), place), this.#family))
  }

  #turnTo(chain: string): void {
    this.#endRun()
    this.#chain = chain
    this.#pieces = this.#piecesOf(chain)
  }

  #endRun(): void {
    if (this.#run.end > 0) this.#pieces.push(this.#text.slice(this.#run.start, this.#run.end))
    this.#run = { start: 0, end: 0 }
  }

  #piecesOf(chain: string): string[] {
    const known = this.#chains.get(chain)
    if (known !== undefined) return known
    const pieces: string[] = []
    this.#chains.set(chain, pieces)
    return pieces
  }
}
