import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { plainFiles } from '#system/plain-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plain-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a folder is listed by name, without the folders in it', async () => {
  mkdirSync(join(folder, 'a-folder'))
  writeFileSync(join(folder, 'c'), '')
  writeFileSync(join(folder, 'b'), '')
  symlinkSync('/nonexistent', join(folder, 'd'))
  expect(await plainFiles.list(folder)).toEqual(['b', 'c', 'd'])
})

test('what is not there is nothing, and can be removed', async () => {
  const path = join(folder, 'none')
  expect(await plainFiles.list(path)).toBeUndefined()
  expect(await plainFiles.read(path)).toBeUndefined()
  await plainFiles.remove(path)
})

test('what cannot be read is an error', async () => {
  await expect(plainFiles.read(folder)).rejects.toThrow('EISDIR')
})

test('a text is written to a folder that is made for it, for the owner alone, and can be written again', async () => {
  const path = join(folder, 'deep/er/file')
  await plainFiles.write(path, 'one')
  await plainFiles.write(path, 'two')
  expect(readFileSync(path, 'utf8')).toBe('two')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(folder, 'deep/er'))).toEqual(['file'])
  await plainFiles.remove(path)
  expect(await plainFiles.read(path)).toBeUndefined()
})

test('a text that cannot take its name leaves nothing behind', async () => {
  mkdirSync(join(folder, 'taken/x'), { recursive: true })
  await expect(plainFiles.write(join(folder, 'taken'), 'text')).rejects.toThrow()
  expect(readdirSync(folder)).toEqual(['taken'])
})
