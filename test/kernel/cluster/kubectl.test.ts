import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import { type Cluster, openCluster } from '#lab/cluster/cluster.ts'
import { systemClock } from '#system/clock.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { whyNot } from '../ground.ts'
import { clusterProgram } from './cluster-program.ts'
import { findPrograms, type Kubectl, type Programs } from './kubectl/programs.ts'
import { ROWS } from './kubectl/rows.ts'
import { RENDERED, Shell } from './kubectl/shell.ts'
import { columnIn, INTRODUCTION, named, tableText } from './kubectl/table.ts'

// The table of what was tried with kubectl, old and new: each row is done in a cluster of the lab, and the table says how it went.

const KEPT = new URL('./kubectl/KUBECTL.md', import.meta.url)
const CHART = new URL('../../../fixtures/chart/', import.meta.url)
const PATIENCE_MS = 600_000

describe('a cluster, to kubectl', () => {
  let why: string | undefined
  let cluster: Cluster
  let programs: Programs
  const folder = mkdtempSync(join(tmpdir(), 'switchyard-kubectl-'))

  beforeAll(async () => {
    why = await whyNot(['ip', 'iptables', 'ip6tables', 'conntrack', 'musl-gcc'])
    if (why !== undefined) return
    const opening = openCluster(hostKernel(), { nodes: 1, clock: systemClock, dist: clusterProgram() })
    programs = await findPrograms(hostKernel(), folder)
    cluster = await opening
  }, PATIENCE_MS)
  afterAll(async () => {
    await cluster?.close()
    rmSync(folder, { recursive: true })
  }, 60_000)

  test('is given by helm what is kept of its chart', async context => {
    if (why !== undefined) context.skip(why)
    const { helm } = programs
    if (helm === undefined) return console.log('No helm can be had here: what it rendered elsewhere is applied.')
    const { stdout } = await hostKernel().run(anyCommand([helm, 'template', 'shop', fileURLToPath(CHART)]))
    expect(stdout).toBe(readFileSync(RENDERED, 'utf8'))
  })

  test(
    'is what the table says',
    async context => {
      if (why !== undefined) context.skip(why)
      const columns = await Promise.all(programs.kubectls.map(columnOf))
      expect(
        columns.filter(({ results }) => results.length > 0),
        'one kubectl at least',
      ).not.toEqual([])
      const text = tableText(ROWS, columns)
      console.log(text)
      if (process.env.WRITE_TABLE === 'yes') writeFileSync(KEPT, `${INTRODUCTION}\n\n${text}\n`)
      const kept = readFileSync(KEPT, 'utf8')
      for (const { minor, results } of columns) {
        if (results.length > 0) expect(named(ROWS, results), minor).toEqual(named(ROWS, columnIn(kept, minor)))
      }
    },
    PATIENCE_MS,
  )

  /** How each row went: `yes`, or what came instead. */
  const columnOf = async ({ minor, found }: Kubectl) => {
    if ('why' in found) return { minor, why: found.why, results: [] }
    const shell = new Shell({
      folder: join(folder, `home-${minor}`),
      kubectl: found.path,
      kubeconfig: cluster.controlPlane.kubeconfig,
      minor,
    })
    const results: string[] = []
    for (const row of ROWS) results.push(await shell.tried(row))
    return { minor, results }
  }
})
