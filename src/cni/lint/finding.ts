// What is wrong with a configuration, and where.

export interface Finding {
  /** Characters from the start of the text. */
  readonly at: number
  /** A warning: programs take it, and most likely it is not what was meant. */
  readonly severity: 'error' | 'warning'
  /** `plugins[0].ipam.subnet`; empty where it is the text itself that is wrong. */
  readonly path: string
  /** The value that stands there where it helps, what is wrong with it, and what would be right. */
  readonly message: string
}

export class Findings {
  readonly #found: Finding[] = []

  add(finding: Finding): void {
    this.#found.push(finding)
  }

  refuse(at: number, path: string, message: string): void {
    this.add({ at, severity: 'error', path, message })
  }

  doubt(at: number, path: string, message: string): void {
    this.add({ at, severity: 'warning', path, message })
  }

  /** One that was found by a simpler rule is not named a second time; a warning hides no error. */
  isRefused(path: string): boolean {
    return this.#found.some(finding => finding.path === path && finding.severity === 'error')
  }

  /** From top to bottom. */
  get all(): readonly Finding[] {
    return this.#found.toSorted((a, b) => a.at - b.at)
  }
}
