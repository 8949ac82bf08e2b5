import type { Value } from './table/kinds.ts'
import { nameOf } from './table/setting.ts'
import { settingOf } from './table/table.ts'

// Every setting of the table → the value it has, and where that comes from.

export interface Position {
  readonly line: number
  readonly column: number
}

export interface Choice {
  readonly value: Value
  readonly from: 'flag' | 'file' | 'default'
  /** Where in the file. */
  readonly position?: Position
}

/** The value of every setting, by the key of its row. A key that is not in the table is a programming error, and throws. */
export class Choices {
  readonly #choices: ReadonlyMap<string, Choice>

  constructor(choices: ReadonlyMap<string, Choice>) {
    this.#choices = choices
  }

  of(key: string): Choice {
    const choice = this.#choices.get(key)
    if (choice === undefined) throw new Error(`there is no setting "${key}"`)
    return choice
  }

  text(key: string): string {
    return this.of(key).value as string
  }

  number(key: string): number {
    return this.of(key).value as number
  }

  isOn(key: string): boolean {
    return this.of(key).value === true
  }

  list(key: string): readonly string[] {
    return this.of(key).value as readonly string[]
  }

  /** The same choices with some replaced. */
  with(changes: ReadonlyMap<string, Choice>): Choices {
    return new Choices(new Map([...this.#choices, ...changes]))
  }

  /** The setting as the user wrote it: `--proxy-mode (mode)`, or `FILE: mode (--proxy-mode), line 3, column 7`. */
  named(key: string): string {
    const { from, position } = this.of(key)
    if (from !== 'file') return nameOf(settingOf(key))
    return `${this.text('--config')}: ${nameOf(settingOf(key), 'file')}${showPosition(position)}`
  }
}

export function showPosition(position: Position | undefined): string {
  return position === undefined ? '' : `, line ${position.line}, column ${position.column}`
}
