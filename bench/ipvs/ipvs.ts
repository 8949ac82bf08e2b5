import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runInVm } from '../../test/vm/boot.ts'
import { bundle } from '../../test/vm/bundle.ts'
import { prepareMachines, whyNoMachine } from '../../test/vm/ground.ts'
import { markdownTable } from '../report/markdown.ts'
import type { IpvsFigures } from './ipvs-inside.ts'

// How long ipvs mode takes to load a cluster, and to follow a change, on the emulated machine: there everything takes many
// times as long as on a real one, so the numbers are to be compared with each other alone; the counts of processes hold everywhere.

const INSIDE = fileURLToPath(new URL('ipvs-inside.ts', import.meta.url))
const PATIENCE_MS = 30 * 60_000

export async function ipvsBench(services: number): Promise<{ readonly figures: IpvsFigures; readonly table: string }> {
  await prepareMachines(console.log)
  const why = await whyNoMachine()
  if (why !== undefined) throw new Error(why)
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-bench-'))
  try {
    const program = join(folder, 'inside.mjs')
    await bundle(INSIDE, program)
    const figures = await measured(program, services)
    return { figures, table: tableOf(figures) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function measured(program: string, services: number): Promise<IpvsFigures> {
  const lines: string[] = []
  const { console } = await runInVm([process.execPath, program, String(services)], {
    timeoutMs: PATIENCE_MS,
    onLine: line => lines.push(line),
  })
  const found = lines.find(line => line.startsWith('{'))
  if (found === undefined) throw new Error([...lines, console].join('\n'))
  return JSON.parse(found) as IpvsFigures
}

function tableOf({ services, load, change, lookAgain }: IpvsFigures): string {
  const ms = (value: number): string => `${value.toFixed(0)} ms`
  const rows = [
    ['load', ms(load.ms), ms(load.toolsMs), `${load.processes}`],
    ['an endpoint moves, p50', ms(change.p50), '', `${change.processes}`],
    ['an endpoint moves, p99', ms(change.p99), '', `${change.processes}`],
    ['look at the kernel again', ms(lookAgain.ms), ms(lookAgain.toolsMs), `${lookAgain.processes}`],
  ]
  return markdownTable([`${services} × 10`, 'time', 'of it in tools', 'processes'], rows)
}
