import type { PluginMachine } from '#cni/answer.ts'
import type { CniPlugin } from '#cni/plugins/plugin.ts'
import type { CniCommand, CniRequest } from '#cni/protocol/request.ts'
import { type CniResult, NO_RESULT } from '#cni/protocol/result.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { Executables, FoundExecutable } from '#system/executables.ts'
import { type Command, type Kernel, NOT_FOUND, type Outcome } from '#system/ports.ts'
import type { Address } from '#values/address.ts'

// Plugins and the machine under them, on paper.

export const ONE_ADDRESS: CniResult = {
  ...NO_RESULT,
  ips: [{ address: '10.9.0.3' as Address, prefixLength: 29 }],
}

/** Remembers what it was asked. What it answers to an ADD may be a failure. */
export class FakePlugin implements CniPlugin {
  readonly type: string
  readonly requests: CniRequest[] = []
  readonly failures = new Map<CniCommand, Error>()
  result: CniResult = ONE_ADDRESS

  constructor(type: string) {
    this.type = type
  }

  get commands(): readonly CniCommand[] {
    return this.requests.map(({ command }) => command)
  }

  async add(request: CniRequest): Promise<CniResult> {
    this.#ask(request)
    return this.result
  }

  async del(request: CniRequest): Promise<void> {
    this.#ask(request)
  }

  async check(request: CniRequest): Promise<void> {
    this.#ask(request)
  }

  async status(request: CniRequest): Promise<void> {
    this.#ask(request)
  }

  async gc(request: CniRequest): Promise<void> {
    this.#ask(request)
  }

  #ask(request: CniRequest): void {
    this.requests.push(request)
    const failure = this.failures.get(request.command)
    if (failure !== undefined) throw failure
  }
}

/** Executables by their path; each answers with the first outcome it has left, the last one for ever. */
export class PaperExecutables implements Executables, Kernel {
  readonly commands: Command[] = []
  readonly #outcomes = new Map<string, Outcome[]>()
  readonly #ours = new Set<string>()

  install(path: string, ...outcomes: Outcome[]): void {
    this.#outcomes.set(path, outcomes)
  }

  installOurs(path: string): void {
    this.install(path)
    this.#ours.add(path)
  }

  async find(name: string, folders: readonly string[]): Promise<FoundExecutable | undefined> {
    const path = folders.map(folder => `${folder}/${name}`).find(candidate => this.#outcomes.has(candidate))
    return path === undefined ? undefined : { path, isOurs: this.#ours.has(path) }
  }

  async run(command: Command): Promise<Outcome> {
    this.commands.push(command)
    const outcomes = this.#outcomes.get(command.argv[0]) ?? []
    return (
      (outcomes.length > 1 ? outcomes.shift() : outcomes[0]) ?? { code: NOT_FOUND, stdout: '', stderr: 'not found' }
    )
  }

  /** CNI_COMMAND of each call. */
  get asked(): readonly string[] {
    return this.commands.map(({ env }) => env?.CNI_COMMAND ?? '')
  }
}

export function outcome(stdout: unknown, code = 0, stderr = ''): Outcome {
  return { code, stdout: typeof stdout === 'string' ? stdout : JSON.stringify(stdout), stderr }
}

export function paperMachine(executables: PaperExecutables = new PaperExecutables()): PluginMachine {
  const unwanted = (): never => {
    throw new Error('this test has no such part')
  }
  return {
    networks: { open: unwanted },
    kernel: executables,
    clock: new PaperClock(),
    executables,
    files: {
      read: async () => undefined,
      namespaceId: async path => (path === '/proc/self/ns/net' || path === '/proc/1/ns/net' ? '4:1' : `4:${path}`),
      bootId: async () => 'boot',
    },
    leases: unwanted,
  }
}
