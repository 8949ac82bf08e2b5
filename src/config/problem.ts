import type { Choices } from './choices.ts'

// A setting that is wrong → one line: where it was said, the value, and what would be right.

export function wrong(choices: Choices, key: string, right: string, value: unknown = choices.of(key).value): string {
  return `${choices.named(key)}: invalid value ${JSON.stringify(value)}: ${right}`
}
