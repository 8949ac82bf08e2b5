import type { CniSettings } from '#config/settings.ts'
import type { PlainFiles } from '#system/plain-files.ts'
import type { AnswerParts } from '../answer.ts'

// What the commands of the verb `cni` are given, and what they give back.

export interface CniAsked {
  readonly settings: CniSettings
  /** Without the name of the command. */
  readonly operands: readonly string[]
  /** Of this process. */
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface CniCommandParts {
  /** Our own plugins and the machine under them. */
  readonly own: AnswerParts
  readonly files: PlainFiles
  /** All of standard input. */
  readonly input: () => Promise<string>
  /** For what is worth knowing and stops nothing. */
  readonly warn: (sentence: string) => void
  /** What plugins print on stderr. */
  readonly said: (text: string) => void
}

export interface CniCommandAnswer {
  readonly text: string
  /** 1 where a plugin failed, or something is wrong with a file. What could not even be tried is an error instead. */
  readonly status: 0 | 1
}
