import { readdirSync, readFileSync } from 'node:fs'

// Saves of real programs, by file name.

const FOLDER = new URL('../../../fixtures/saves/', import.meta.url)

export const SAVES: readonly (readonly [file: string, text: string])[] = readdirSync(FOLDER)
  .filter(file => file.endsWith('.save'))
  .sort()
  .map(file => [file, readFileSync(new URL(file, FOLDER), 'utf8')])

/** The rules of a save as they stand, without counters in front. */
export function rulesIn(text: string): readonly string[] {
  return text
    .split('\n')
    .map(line => line.replace(/^\[\d+:\d+\] /, ''))
    .filter(line => line.startsWith('-A '))
}

/** The one thing iptables-save 1.8.9 prints that the canonical form does not keep: two blanks behind this option. */
export function printed(rule: string): string {
  return rule.replace('--nfacct-name  ', '--nfacct-name ')
}
