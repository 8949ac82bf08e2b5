import { parentPort } from 'node:worker_threads'
import type { MemoryPeak } from './memory-watch.ts'
import { memoryOf, treeOf } from './process-tree.ts'

// Runs in a thread of its own, so that nothing the bench does itself holds it up: looks at a process and its children every
// 10 ms, and answers with the most it saw. A number is the process to look at from now on, anything else a question.

const EVERY_MS = 10

let pid: number | undefined
let peak: MemoryPeak = { kiB: 0, parts: [], children: 0 }
let children = new Set<number>()

parentPort!.on('message', (message: number | 'peak') => {
  if (typeof message === 'number') pid = message
  else parentPort!.postMessage({ ...peak, children: children.size } satisfies MemoryPeak)
  peak = { kiB: 0, parts: [], children: 0 }
  children = new Set()
})

setInterval(() => {
  const tree = pid === undefined ? [] : treeOf(pid)
  for (const child of tree.slice(1)) children.add(child)
  const parts = memoryOf(tree)
  const kiB = parts.reduce((sum, part) => sum + part.kiB, 0)
  if (kiB > peak.kiB) peak = { kiB, parts, children: 0 }
}, EVERY_MS)
