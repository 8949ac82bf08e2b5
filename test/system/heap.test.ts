import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const HEAP = fileURLToPath(new URL('../../src/system/heap.ts', import.meta.url))

/** Keeps 60 MB, then makes and drops texts one after another: the largest heap that was seen. */
const PROGRAM = `
  import { collectEarly } from ${JSON.stringify(HEAP)}
  if (process.argv[1] === 'early') collectEarly()
  const text = i => ({ text: ('x' + i).padEnd(1000, 'ab') + i, list: [i, i, i] })
  globalThis.kept = Array.from({ length: 50_000 }, (_, i) => text(i))
  let dropped = []
  let most = 0
  for (let i = 0; i < 400_000; i++) {
    dropped.push(text(i))
    if (dropped.length === 5000) {
      dropped = []
      most = Math.max(most, process.memoryUsage().heapTotal)
    }
  }
  console.log(Math.round(most / 1048576))
`

function largestHeapMiB(when: 'early' | 'late'): number {
  // With little room for what is young, garbage gets old, as that of long lists does.
  const { stdout } = spawnSync(
    process.execPath,
    ['--max-semi-space-size=1', '--input-type=module', '-e', PROGRAM, when],
    { encoding: 'utf8' },
  )
  return Number(stdout)
}

test('less garbage gathers in a process that collects early', () => {
  const [early, late] = [largestHeapMiB('early'), largestHeapMiB('late')]
  expect(early).toBeGreaterThan(50)
  expect(early).toBeLessThan(0.9 * late)
})
