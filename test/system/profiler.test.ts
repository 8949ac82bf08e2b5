import { expect, test } from 'vitest'
import { takeProfile } from '#system/profiler.ts'

// Functions with names that a profile can be searched for.

/** Of this thread's own, however busy the machine is. */
function burnsTime(ms: number): number {
  const before = process.threadCpuUsage()
  let sum = 0
  while (process.threadCpuUsage(before).user < ms * 1000) for (let i = 0; i < 1000; i++) sum += Math.sqrt(i)
  return sum
}

function makesTexts(count: number): readonly object[] {
  return Array.from({ length: count }, (_, i) => ({ text: `text ${i}`.padEnd(200, `${i}`), list: [i, i, i] }))
}

let kept: readonly object[] = []

test('a CPU profile names the function that the time went to', async () => {
  const profile = JSON.parse(await takeProfile('cpu', async () => void burnsTime(60)))
  expect(Object.keys(profile)).toEqual(
    expect.arrayContaining(['nodes', 'startTime', 'endTime', 'samples', 'timeDeltas']),
  )
  expect(profile.nodes.map((node: CpuNode) => node.callFrame.functionName)).toContain('burnsTime')
})

test('a heap profile names the function whose memory stays, and not one whose memory has gone', async () => {
  const profile = JSON.parse(
    await takeProfile('heap', async () => {
      kept = makesTexts(20_000)
    }),
  )
  expect(Object.keys(profile)).toEqual(['head', 'samples'])
  expect(bytesOf(profile.head, 'makesTexts')).toBeGreaterThan(500_000)
  expect(kept).toHaveLength(20_000)
})

test('a profile of allocations has also what has gone', async () => {
  const span = async (): Promise<void> => {
    for (let i = 0; i < 200; i++) makesTexts(2000)
  }
  const [gone, stays] = [
    JSON.parse(await takeProfile('allocations', span)),
    JSON.parse(await takeProfile('heap', span)),
  ]
  expect(bytesOf(gone.head, 'makesTexts')).toBeGreaterThan(3 * bytesOf(stays.head, 'makesTexts'))
})

test('a span that fails leaves no profile behind: the next one is taken', async () => {
  await expect(takeProfile('cpu', () => Promise.reject(new Error('gone')))).rejects.toThrow('gone')
  expect(JSON.parse(await takeProfile('cpu', async () => {}))).toHaveProperty('nodes')
})

interface CpuNode {
  readonly callFrame: { readonly functionName: string }
}

interface HeapNode extends CpuNode {
  readonly selfSize: number
  readonly children: readonly HeapNode[]
}

/** All that the function allocated, with what it called. */
function bytesOf(node: HeapNode, name: string): number {
  return node.callFrame.functionName === name
    ? total(node)
    : node.children.reduce((sum, child) => sum + bytesOf(child, name), 0)
}

function total({ selfSize, children }: HeapNode): number {
  return children.reduce((sum, child) => sum + total(child), selfSize)
}
