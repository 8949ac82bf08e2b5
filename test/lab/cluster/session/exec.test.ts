import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { execLine } from '#lab/cluster/session/exec.ts'

let folder: string
let env: NodeJS.ProcessEnv
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'exec-line-'))
  env = { PATH: process.env.PATH, HERE: folder }
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a line ends with the status of its last command, or as a shell says a signal', async () => {
  const { signal } = new AbortController()
  expect(await execLine('exit 7', { env, signal })).toBe(7)
  expect(await execLine('kill -TERM $$', { env, signal })).toBe(128 + 15)
})

test('a line that runs when the cluster is interrupted is ended', async () => {
  const stop = new AbortController()
  const ended = execLine('exec sleep 1000', { env, signal: stop.signal })
  stop.abort()
  expect(await ended).toBe(128 + 15)
})

test('a line does not begin in a cluster that was interrupted already', async () => {
  await expect(execLine('touch "$HERE/ran"', { env, signal: AbortSignal.abort() })).rejects.toThrow()
  expect(existsSync(join(folder, 'ran'))).toBe(false)
})
