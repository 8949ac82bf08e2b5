import { globSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

// Commands are worded in dialects/ and nowhere else, so that what is run on a node can be read in one folder.

const SRC = new URL('../../src/', import.meta.url)

/** Every line of src outside of dialects/ that the pattern finds. */
function elsewhere(pattern: RegExp): readonly string[] {
  return globSync('**/*.ts', { cwd: SRC })
    .filter(path => !path.startsWith('dialects/'))
    .flatMap(path => {
      const lines = readFileSync(new URL(path, SRC), 'utf8').split('\n')
      return lines.flatMap((line, i) => (pattern.test(line) ? [`${path}:${i + 1}: ${line.trim()}`] : []))
    })
}

test('the words of a command stand in dialects/', () => {
  expect(elsewhere(/\bargv(?::| =) \[\s*['"`]|\bfollow\(\[/)).toEqual([])
})

test('so does what a command is for, but for credential plugins, which the kubeconfig names', () => {
  const found = elsewhere(/\bdoes: '(?:look|restore|conntrack|write|other)'/).map(line =>
    line.slice(0, line.indexOf(':')),
  )
  expect(found).toEqual(['kubernetes/access/exec-plugin.ts'])
})

test('exit codes that a Kernel makes up have names', () => {
  expect(elsewhere(/\bcode(?::| [!=]==) 12[467]\b/)).toEqual([])
})
