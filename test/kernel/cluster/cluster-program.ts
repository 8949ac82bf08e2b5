import { cpSync } from 'node:fs'
import { builtOnce } from '../pods/built-once.ts'
import { madeOnce } from '../pods/made-once.ts'

// The program for the clusters of all test files of a run. What its processes compile of it they keep beside it, so the later ones
// start sooner; `npm start` itself is tested also as a person starts it, who has nothing built.

export function clusterProgram(): string {
  return madeOnce('cluster', folder => cpSync(builtOnce(), folder, { recursive: true }))
}
