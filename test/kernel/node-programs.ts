import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ApiObject } from '#lab/api-server/store.ts'
import type { Lab } from '#lab/network/lab.ts'
import { within } from '#lab/network/namespaces.ts'
import { systemClock } from '#system/clock.ts'
import { type Child, startChild } from '#system/processes/children.ts'

// An API server and the agent, both as programs on the node of a lab: for modes whose sockets must be there.

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const API = fileURLToPath(new URL('./api-program.ts', import.meta.url))

export class NodePrograms {
  readonly #lab: Lab
  readonly #flags: readonly string[]
  readonly #api: Child
  readonly #url: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'switchyard-node-'))
  #agent: Child | undefined

  private constructor({ lab, flags, api, url }: { lab: Lab; flags: readonly string[]; api: Child; url: string }) {
    this.#lab = lab
    this.#flags = flags
    this.#api = api
    this.#url = url
    writeFileSync(this.#logFile, '')
  }

  static async start(lab: Lab, flags: readonly string[], objects: readonly ApiObject[]): Promise<NodePrograms> {
    const { promise, resolve } = Promise.withResolvers<string>()
    const options = JSON.stringify({ options: {}, objects })
    const api = startChild({ argv: within(lab.node.namespace, [process.execPath, API, options]), onLine: resolve })
    const programs = new NodePrograms({ lab, flags, api, url: await promise })
    programs.startAgent()
    return programs
  }

  startAgent(...more: readonly string[]): void {
    const flags = [`--master=${this.#url}`, '--hostname-override=here', '-v=4', ...this.#flags, ...more]
    const script = `exec ${[process.execPath, MAIN, ...flags].join(' ')} 2>>${this.#logFile}`
    this.#agent = startChild({ argv: within(this.#lab.node.namespace, ['sh', '-c', script]), onLine: () => {} })
  }

  async stopAgent(): Promise<number | undefined> {
    // By itself it ends within five seconds of a processor's time.
    return (await this.#agent?.stop(30_000))?.code
  }

  get agentPid(): number {
    return this.#agent!.pid!
  }

  /** Everything the agent has said. */
  get log(): string {
    return readFileSync(this.#logFile, 'utf8')
  }

  put(...objects: readonly ApiObject[]): void {
    for (const put of objects) this.#api.writeLine(JSON.stringify({ put }))
  }

  remove(kind: string, namespace: string, name: string): void {
    this.#api.writeLine(JSON.stringify({ remove: { kind, namespace, name } }))
  }

  async stop(): Promise<void> {
    await this.stopAgent()
    await this.#api.stop()
    rmSync(this.#folder, { recursive: true })
  }

  get #logFile(): string {
    return join(this.#folder, 'log')
  }
}

export async function until(condition: () => Promise<boolean> | boolean, limitMs = 45_000): Promise<void> {
  const end = Date.now() + limitMs
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${condition}`)
    await systemClock.sleep(20)
  }
}
