import type { Command } from '#system/ports.ts'

// Commands → a shell script that does the same, each input as a here-document.

/** Never a line of an input: rules begin with a star, a colon, a dash or a letter. */
const END = '__END_OF_INPUT__'

export function asScript(commands: readonly Command[]): string {
  const steps = commands.map(({ argv, input }) => {
    const line = argv.map(quoted).join(' ')
    return input === undefined ? line : `${line} <<'${END}'\n${input.endsWith('\n') ? input : `${input}\n`}${END}`
  })
  return ['#!/bin/sh', 'set -e', ...steps, ''].join('\n')
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
