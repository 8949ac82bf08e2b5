import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { VERBS } from '#config/verbs.ts'

// The scripts of `switchyard completion` in the shells they are for, which ask the program from the sources.

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'switchyard-completion-'))
const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }

beforeAll(() => {
  const program = `#!/bin/sh\nexec ${process.execPath} ${MAIN} "$@"\n`
  writeFileSync(join(folder, 'switchyard'), program, { mode: 0o755 })
})
afterAll(() => rmSync(folder, { recursive: true }))

function lines(shell: string, ...argv: string[]): readonly string[] {
  const { stdout, stderr, status } = spawnSync(shell, argv, { env, cwd: folder, encoding: 'utf8' })
  expect([stderr, status]).toEqual(['', 0])
  return stdout.split('\n').filter(line => line !== '')
}

test('bash completes verbs, flags, their values and files', () => {
  const completed = (line: string) =>
    lines(
      'bash',
      '--norc',
      '-c',
      `compopt() { echo "options: $*"; }
      source <(switchyard completion bash)
      COMP_LINE=$1 COMP_POINT=\${#1}
      _switchyard
      printf '%s\\n' "\${COMPREPLY[@]}"`,
      'bash',
      line,
    )
  expect(completed('switchyard expl')).toEqual(['explain'])
  expect(completed('switchyard run --proxy-m')).toEqual(['options: -o nospace', '--proxy-mode='])
  expect(completed('switchyard render --as=')).toEqual(['restore', 'script'])
  expect(completed('switchyard render --as ')).toEqual(['restore', 'script'])
  expect(completed('switchyard run --config /et')).toEqual(['options: -o default'])
})

test('zsh completes verbs, flags, their values and files', () => {
  const completed = (...words: string[]) =>
    lines(
      'zsh',
      '-f',
      '-c',
      `compdef() { :; }
      compset() { print -r -- "compset $*"; }
      _files() { print -r -- files; }
      _describe() { print -rl -- \${(P)2} \${@[3,-1]}; }
      source <(switchyard completion zsh)
      words=("$@") CURRENT=$#
      _switchyard`,
      'zsh',
      ...words,
    )
  expect(completed('switchyard', 'expl')).toEqual([`explain:${VERBS.explain.does}`])
  expect(completed('switchyard', 'run', '--proxy-m')).toEqual(['--proxy-mode=:How Services are proxied', '-S'])
  expect(completed('switchyard', 'render', '--as=s')).toHaveLength(1)
  expect(completed('switchyard', 'run', '--config=/et')).toEqual(['compset -P *=', 'files'])
})

test('fish completes verbs, flags, their values and files', () => {
  const completed = (line: string) =>
    lines('fish', '--no-config', '-c', `switchyard completion fish | source; complete -C '${line}'`)
  expect(completed('switchyard expl')).toEqual([`explain\t${VERBS.explain.does}`])
  expect(completed('switchyard run --proxy-m')).toEqual(['--proxy-mode=\tHow Services are proxied'])
  expect(completed('switchyard render --as ').map(line => line.split('\t')[0])).toEqual(['restore', 'script'])
  expect(completed('switchyard run --config=/etc/host').join()).toContain('/etc/hostname')
})

test('man finds nothing to complain about in the manual page', () => {
  const page = execFileSync('switchyard', ['man'], { env, encoding: 'utf8' })
  const { stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-P-c'], { input: page, encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout).toContain('SWITCHYARD(1)')
})
