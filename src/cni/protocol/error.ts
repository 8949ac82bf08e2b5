// What a plugin answers instead of a result: an object on stdout, with a code of the specification.

export const CODE = {
  version: 1,
  unsupportedField: 2,
  unknownContainer: 3,
  environment: 4,
  io: 5,
  decode: 6,
  config: 7,
  netns: 8,
  tryAgainLater: 11,
  notAvailable: 50,
  limited: 51,
  internal: 999,
} as const

export type CniCode = (typeof CODE)[keyof typeof CODE] | (number & {})

export class CniError extends Error {
  override readonly name = 'CniError'
  readonly code: CniCode
  /** What would help: counts, the oldest suspects, the command to run. */
  readonly details: string

  constructor(code: CniCode, message: string, details = '') {
    super(message)
    this.code = code
    this.details = details
  }
}

/** So many say enough; a message with a line for each of ten thousand routes is read by no one. */
const MOST_PROBLEMS = 12

/** One message of them. */
export function problemsText(problems: readonly string[]): string {
  const more = problems.length - MOST_PROBLEMS
  return [...problems.slice(0, MOST_PROBLEMS), ...(more > 0 ? [`and ${more} more`] : [])].join('; ')
}

/** A configuration with something wrong in it: each problem is a sentence that begins with the path of the field. */
export class ConfigRefused extends CniError {
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(CODE.config, problemsText(problems))
    this.problems = problems
  }
}
