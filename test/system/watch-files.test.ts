import { appendFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type FileWatch, watchFile } from '#system/watch-files.ts'

let folder: string
let watching: FileWatch | undefined
let notices: number

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'switchyard-watch-'))
  notices = 0
})

afterEach(async () => {
  watching?.close()
  await rm(folder, { recursive: true })
})

function watch(name: string): void {
  watching = watchFile(join(folder, name), () => {
    notices++
    watching!.aim()
  })
}

/** Does it, and waits until that was noticed. */
async function noticed(change: () => Promise<unknown>): Promise<void> {
  // What came before must not count.
  await new Promise(resolve => setTimeout(resolve, 20))
  const before = notices
  await change()
  await expect.poll(() => notices, { interval: 2 }).toBeGreaterThan(before)
}

test('a file that is written, replaced, deleted and made anew is noticed each time', async () => {
  const file = join(folder, 'config.conf')
  await writeFile(file, 'one')
  watch('config.conf')
  await noticed(() => appendFile(file, 'two'))
  await writeFile(`${file}.new`, 'three')
  await noticed(() => rename(`${file}.new`, file))
  await noticed(() => appendFile(file, 'four'))
  await noticed(() => rm(file))
  await noticed(() => writeFile(file, 'five'))
  await noticed(() => appendFile(file, 'six'))
})

test('a file that is not there yet is noticed when it comes', async () => {
  watch('config.conf')
  await noticed(() => writeFile(join(folder, 'config.conf'), 'one'))
})

test('a ConfigMap volume is noticed each time its link turns, and when a file behind it is written', async () => {
  const turn = async (revision: string, text: string) => {
    await mkdir(join(folder, revision))
    await writeFile(join(folder, revision, 'config.conf'), text)
    await symlink(revision, join(folder, '..data_tmp'))
    await rename(join(folder, '..data_tmp'), join(folder, '..data'))
  }
  await turn('..2026_1', 'one')
  await symlink('..data/config.conf', join(folder, 'config.conf'))
  watch('config.conf')
  await noticed(() => turn('..2026_2', 'two'))
  await noticed(() => turn('..2026_3', 'three'))
  await noticed(() => appendFile(join(folder, '..2026_3', 'config.conf'), 'four'))
})

test('a link into another folder is followed to the file', async () => {
  await mkdir(join(folder, 'real'))
  await writeFile(join(folder, 'real', 'config.conf'), 'one')
  await mkdir(join(folder, 'seen'))
  await symlink('../real/config.conf', join(folder, 'seen', 'config.conf'))
  watch('seen/config.conf')
  await noticed(() => appendFile(join(folder, 'real', 'config.conf'), 'two'))
  await writeFile(join(folder, 'real', 'new'), 'three')
  await noticed(() => rename(join(folder, 'real', 'new'), join(folder, 'real', 'config.conf')))
})
