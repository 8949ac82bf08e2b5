import {
  chmodSync,
  existsSync,
  linkSync,
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
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { placedFiles } from '#system/placed-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'placed-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const at = (...names: readonly string[]) => join(folder, ...names)
const modeOf = (path: string) => statSync(path).mode & 0o777

describe('a file is placed', () => {
  test('whole, with its mode, in folders that are made, over what was there', async () => {
    await placedFiles.place(at('a', 'b', 'tool'), { content: { text: 'one' }, mode: 0o755 })
    await placedFiles.place(at('a', 'b', 'tool'), { content: { text: 'two' }, mode: 0o600 })
    expect([readFileSync(at('a', 'b', 'tool'), 'utf8'), modeOf(at('a', 'b', 'tool'))]).toEqual(['two', 0o600])
    expect(readdirSync(at('a', 'b'))).toEqual(['tool'])
  })

  test('as a new file: a program that runs from the old one goes on with it', async () => {
    writeFileSync(at('tool'), 'old')
    linkSync(at('tool'), at('running'))
    await placedFiles.place(at('tool'), { content: { text: 'new' }, mode: 0o755 })
    expect([readFileSync(at('tool'), 'utf8'), readFileSync(at('running'), 'utf8')]).toEqual(['new', 'old'])
  })

  test('in the place of a link, not where the link leads', async () => {
    writeFileSync(at('elsewhere'), 'theirs')
    symlinkSync(at('elsewhere'), at('tool'))
    await placedFiles.place(at('tool'), { content: { text: 'ours' }, mode: 0o755 })
    expect([readFileSync(at('elsewhere'), 'utf8'), readFileSync(at('tool'), 'utf8')]).toEqual(['theirs', 'ours'])
  })

  test('as a copy of another, whose mode it does not take', async () => {
    writeFileSync(at('source'), Buffer.from([0, 255, 10]))
    chmodSync(at('source'), 0o400)
    await placedFiles.place(at('tool'), { content: { copyOf: at('source') }, mode: 0o755 })
    expect([readFileSync(at('tool')), modeOf(at('tool'))]).toEqual([Buffer.from([0, 255, 10]), 0o755])
  })

  test('or not at all: what was there stays, and no draft', async () => {
    writeFileSync(at('tool'), 'old')
    const missing = { content: { copyOf: at('missing') }, mode: 0o755 }
    await expect(placedFiles.place(at('tool'), missing)).rejects.toMatchObject({ code: 'ENOENT' })
    mkdirSync(at('folder', 'full'), { recursive: true })
    const text = { content: { text: 'x' }, mode: 0o755 }
    await expect(placedFiles.place(at('folder'), text)).rejects.toMatchObject({ code: 'EISDIR' })
    await expect(placedFiles.place(at('tool', 'below'), text)).rejects.toThrow()
    expect([readFileSync(at('tool'), 'utf8'), readdirSync(folder).sort()]).toEqual(['old', ['folder', 'tool']])
  })
})

describe('a file has what was placed', () => {
  test('where text and mode are the same', async () => {
    const source = { content: { text: 'ü' }, mode: 0o644 }
    await placedFiles.place(at('a'), source)
    expect(await placedFiles.has(at('a'), source)).toBe(true)
    expect(await placedFiles.has(at('a'), { ...source, mode: 0o755 })).toBe(false)
    expect(await placedFiles.has(at('a'), { ...source, content: { text: 'u' } })).toBe(false)
    expect(await placedFiles.has(at('missing'), source)).toBe(false)
    expect(await placedFiles.has(folder, { ...source, mode: modeOf(folder) })).toBe(false)
  })

  test('where it is the same copy to the last byte, however long', async () => {
    const bytes = Buffer.alloc((1 << 20) + 5, 'x')
    writeFileSync(at('source'), bytes)
    const source = { content: { copyOf: at('source') }, mode: 0o755 }
    await placedFiles.place(at('tool'), source)
    expect(await placedFiles.has(at('tool'), source)).toBe(true)
    for (const other of [
      bytes.subarray(0, -1),
      Buffer.concat([bytes, Buffer.from('y')]),
      Buffer.from(bytes).fill('y', bytes.length - 1),
    ]) {
      writeFileSync(at('tool'), other)
      expect(await placedFiles.has(at('tool'), source)).toBe(false)
    }
    writeFileSync(at('tool'), '')
    writeFileSync(at('source'), '')
    expect(await placedFiles.has(at('tool'), source)).toBe(true)
  })
})

describe('a second name', () => {
  test('is the same file, also where it has it already or another file did', async () => {
    writeFileSync(at('a'), 'x')
    writeFileSync(at('b'), 'y')
    for (const name of [at('folder', 'b'), at('folder', 'b'), at('b')]) {
      await placedFiles.link(at('a'), name)
      expect(statSync(name).ino).toBe(statSync(at('a')).ino)
    }
  })

  test('may become the only one', async () => {
    writeFileSync(at('a'), 'x')
    await placedFiles.link(at('a'), at('b'))
    await placedFiles.rename(at('a'), at('b'))
    expect([existsSync(at('a')), readFileSync(at('b'), 'utf8')]).toEqual([false, 'x'])
  })

  test('may be that of another file, which is gone then', async () => {
    writeFileSync(at('a'), 'x')
    writeFileSync(at('b'), 'y')
    await placedFiles.rename(at('a'), at('b'))
    expect([readdirSync(folder), readFileSync(at('b'), 'utf8')]).toEqual([['b'], 'x'])
  })
})

describe('what is not there', () => {
  test('is no text, no list and no error', async () => {
    expect(await placedFiles.exists(at('x'))).toBe(false)
    expect(await placedFiles.read(at('x'))).toBeUndefined()
    expect(await placedFiles.list(at('x'))).toEqual([])
    await placedFiles.remove(at('x'))
    await placedFiles.removeFolder(at('x'))
  })

  test('is not what cannot be read', async () => {
    await expect(placedFiles.read(folder)).rejects.toMatchObject({ code: 'EISDIR' })
  })
})

test('a folder is removed where it is empty, and stays with all in it where it is not', async () => {
  mkdirSync(at('empty'))
  mkdirSync(at('full'))
  writeFileSync(at('full', 'theirs'), 'x')
  for (const name of ['empty', 'full']) await placedFiles.removeFolder(at(name))
  expect(await placedFiles.list(folder)).toEqual(['full'])
  expect(await placedFiles.exists(at('full', 'theirs'))).toBe(true)
})
