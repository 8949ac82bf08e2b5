import type { CniPlugin } from '#cni/plugins/plugin.ts'
import type { CniCommand, CniRequest } from '#cni/protocol/request.ts'
import type { CniResult } from '#cni/protocol/result.ts'
import { startCniPlugin } from '#dialects/cni-plugin.ts'
import { type Clock, type Kernel, NOT_EXECUTABLE, type Outcome } from '#system/ports.ts'
import { mustSucceed, resultOf } from './outcome.ts'

// An executable that is not ours → a CniPlugin: called with the variables of the request and its whole configuration.

export interface ForeignParts {
  readonly kernel: Kernel
  readonly clock: Clock
  /** Hears what executables print on stderr. */
  readonly said: (stderr: string) => void
}

/** An executable that is being replaced cannot be started for a moment. */
const BUSY_TRIES = 6
const BUSY_WAIT_MS = 1000
const BUSY = /ETXTBSY|text file busy/i

export class ForeignPlugin implements CniPlugin {
  readonly type: string
  readonly #file: string
  readonly #parts: ForeignParts

  constructor(type: string, file: string, parts: ForeignParts) {
    this.type = type
    this.#file = file
    this.#parts = parts
  }

  async add(request: CniRequest): Promise<CniResult> {
    try {
      return resultOf(this.type, await this.#answer('ADD', request))
    } catch (error) {
      // As the specification asks: what a failed ADD has taken must not stay taken. Its own failure adds nothing to know.
      await this.del(request).catch(() => {})
      throw error
    }
  }

  async del(request: CniRequest): Promise<void> {
    await this.#answer('DEL', request)
  }

  async check(request: CniRequest): Promise<void> {
    await this.#answer('CHECK', request)
  }

  async status(request: CniRequest): Promise<void> {
    await this.#answer('STATUS', request)
  }

  async gc(request: CniRequest): Promise<void> {
    await this.#answer('GC', request)
  }

  async #answer(command: CniCommand, request: CniRequest): Promise<string> {
    const { env, stdin } = { env: variablesOf(command, request), stdin: JSON.stringify(request.config.raw) }
    const outcome = await runPlugin({ file: this.#file, env, stdin }, this.#parts)
    if (outcome.stderr !== '') this.#parts.said(outcome.stderr)
    mustSucceed(this.type, outcome)
    return outcome.stdout
  }
}

export interface PluginStart {
  readonly file: string
  readonly env: Readonly<Record<string, string>>
  readonly stdin: string
}

export async function runPlugin(start: PluginStart, { kernel, clock }: Omit<ForeignParts, 'said'>): Promise<Outcome> {
  for (let tries = 1; ; tries++) {
    const outcome = await kernel.run(startCniPlugin(start))
    const isBusy = outcome.code === NOT_EXECUTABLE && BUSY.test(outcome.stderr)
    if (!isBusy || tries === BUSY_TRIES) return outcome
    await clock.sleep(BUSY_WAIT_MS)
  }
}

function variablesOf(command: CniCommand, request: CniRequest): Readonly<Record<string, string>> {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: request.container,
    CNI_NETNS: request.netns ?? '',
    CNI_IFNAME: request.ifname,
    CNI_ARGS: [...request.args].map(([key, value]) => `${key}=${value}`).join(';'),
    CNI_PATH: request.path.join(':'),
    ...(request.ownNamespace === 'allowed' && { CNI_NETNS_OVERRIDE: '1' }),
  }
}
