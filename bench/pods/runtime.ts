import { fileURLToPath } from 'node:url'
import { cell, markdownTable, ratio } from '../report/markdown.ts'
import { median } from '../report/statistics.ts'
import type { RuntimeFigures, RuntimeOrder } from './runtime-inside.ts'
import { measuredInWorld } from './world.ts'

// Pods of a real containerd with our plugins, and with the reference's, in turns → how long many take that begin at once.

const INSIDE = fileURLToPath(new URL('runtime-inside.ts', import.meta.url))

export interface RuntimeBenchOptions {
  readonly peer: string
  readonly rounds: number
}

export function measureRuntime({ peer, rounds }: RuntimeBenchOptions): RuntimeFigures {
  return measuredInWorld<RuntimeFigures>(peer, INSIDE, ({ contenders, ...world }) => {
    const two = contenders.filter(({ name }) => name !== 'fallback')
    return { ...world, contenders: two, rounds, pods: 24 } satisfies RuntimeOrder
  })
}

export function runtimeTable(figures: RuntimeFigures): string {
  const rows = Object.entries(figures).map(([figure, { switchyard = [], peer = [] }]) => {
    const [ours, peers] = [median(switchyard), median(peer)]
    return [figure, cell(ours, 'ms'), cell(peers, 'ms'), ratio(ours, peers)]
  })
  return markdownTable(['containerd, p50', 'switchyard', 'peer', 'ratio'], rows)
}
