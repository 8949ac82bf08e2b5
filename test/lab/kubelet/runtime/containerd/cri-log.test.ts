import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { readCriLog } from '#lab/kubelet/runtime/containerd/cri-log.ts'
import type { ReadOptions } from '#lab/kubelet/streams/container-log.ts'
import { PaperClock } from '#lab/paper/clock.ts'

let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'cri-log-'))
  path = join(folder, 'main_0.log')
  writeFileSync(
    path,
    [
      '2026-01-01T00:00:01.000000001Z stdout F one',
      '2026-01-01T00:00:02.000000000Z stderr P two ',
      '2026-01-01T00:00:03.000000000Z stderr F three',
      '2026-01-01T00:00:04.000000000Z stdout F ',
      '2026-01-01T00:00:05.000000000Z stdout F hal',
    ].join('\n'),
  )
})
afterEach(() => rmSync(folder, { recursive: true }))

async function text(options: Partial<ReadOptions> = {}): Promise<string> {
  const clock = new PaperClock(Date.UTC(2026, 0, 1, 0, 0, 5))
  const pieces: Uint8Array[] = []
  const log = readCriLog({ path, clock, hasEnded: () => true }, { follow: false, timestamps: false, ...options })
  for await (const bytes of log) pieces.push(bytes)
  return Buffer.concat(pieces).toString()
}

test('a log of a container runtime is read as the container wrote it; a line that is not whole is left', async () => {
  expect(await text()).toBe('one\ntwo three\n\n')
})

test('a log of a container runtime is read from its end, for some time, to a size, and with times', async () => {
  expect(await text({ tailLines: 2 })).toBe('three\n\n')
  expect(await text({ sinceSeconds: 2.5 })).toBe('three\n\n')
  expect(await text({ limitBytes: 6 })).toBe('one\ntw')
  expect(await text({ timestamps: true, limitBytes: 35 })).toBe('2026-01-01T00:00:01.000000001Z one\n')
})

test('a log that is not there yet is empty, and one that is followed ends with its container', async () => {
  expect(await text({ follow: true })).toBe('one\ntwo three\n\n')
  rmSync(path)
  expect(await text()).toBe('')
})
