import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hostExecutables } from '#system/executables.ts'

let folder: string
let [first, second]: readonly string[] = []

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'executables-'))
  first = join(folder, 'first')
  second = join(folder, 'second')
  mkdirSync(first)
  mkdirSync(second)
})

afterEach(() => rmSync(folder, { recursive: true }))

const OURS = readFileSync(join(import.meta.dirname, '..', '..', 'src', 'cni', 'shim.c'))

test('an executable is found in the first folder that has a file of its name', async () => {
  mkdirSync(join(first!, 'bridge'))
  writeFileSync(join(second!, 'bridge'), 'anything')
  const found = await hostExecutables().find('bridge', [join(folder, 'none'), first!, second!])
  expect(found).toEqual({ path: join(second!, 'bridge'), isOurs: false })
  expect(await hostExecutables().find('dhcp', [first!, second!])).toBeUndefined()
})

test('an executable is ours by what stands in it, under any name and behind a link', async () => {
  writeFileSync(join(second!, 'helper'), OURS)
  symlinkSync(join(second!, 'helper'), join(first!, 'host-local'))
  expect(await hostExecutables().find('host-local', [first!])).toMatchObject({ isOurs: true })
})

test('a large file is foreign without being read', async () => {
  writeFileSync(join(first!, 'bridge'), Buffer.concat([OURS, Buffer.alloc(3 * 2 ** 20)]))
  expect(await hostExecutables().find('bridge', [first!])).toMatchObject({ isOurs: false })
})

test('an executable that was replaced is looked at again', async () => {
  const executables = hostExecutables()
  const file = join(first!, 'bridge')
  writeFileSync(file, OURS)
  chmodSync(file, 0o755)
  expect(await executables.find('bridge', [first!])).toMatchObject({ isOurs: true })
  writeFileSync(file, 'another')
  expect(await executables.find('bridge', [first!])).toMatchObject({ isOurs: false })
})
