import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { FILES, type Row } from './rows.ts'

// A row of the table → how it went with one kubectl, in a folder, a kubeconfig and a namespace of its own.

export interface ShellOptions {
  readonly folder: string
  readonly kubectl: string
  readonly kubeconfig: string
  readonly minor: string
}

/** What helm renders of fixtures/chart. */
export const RENDERED = new URL('../../../../fixtures/chart-rendered.yaml', import.meta.url)

/** For a row that waits for something else to happen. */
const PATIENCE_MS = 60_000

export class Shell {
  readonly #folder: string
  readonly #env: NodeJS.ProcessEnv

  constructor({ folder, kubectl, kubeconfig, minor }: ShellOptions) {
    this.#folder = folder
    mkdirSync(join(folder, 'bin'), { recursive: true })
    symlinkSync(kubectl, join(folder, 'bin/kubectl'))
    copyFileSync(kubeconfig, join(folder, 'config'))
    copyFileSync(fileURLToPath(RENDERED), join(folder, 'rendered.yaml'))
    for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text)
    const PATH = `${join(folder, 'bin')}:${process.env.PATH}`
    const SPACE = `kubectl-${minor.replace('.', '-')}`
    this.#env = { ...process.env, PATH, SPACE, HOME: folder, KUBECONFIG: join(folder, 'config') }
  }

  async tried(row: Row): Promise<string> {
    const end = Date.now() + (row.until ? PATIENCE_MS : 0)
    for (;;) {
      const result = await this.#once(row)
      if (result === 'yes' || Date.now() >= end) return result
      await sleep(200)
    }
  }

  #once({ script, says, refused }: Row): Promise<string> {
    return new Promise(resolve => {
      execFile('sh', ['-c', script], { cwd: this.#folder, env: this.#env }, (error, stdout, stderr) => {
        const said = stdout + stderr
        if ((error !== null) === (refused === true) && says.test(said)) return resolve('yes')
        resolve(`no: ${said.trim().split('\n').at(-1) ?? ''}`)
      })
    })
  }
}
