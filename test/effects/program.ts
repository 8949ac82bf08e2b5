import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

// The whole program on a machine of scripts: each tool it may call notes what it was asked and says yes. So it can be run
// without any rights, and nothing outside its own folder is touched.

const MAIN = new URL('../../src/main.ts', import.meta.url)
const TOOLS = [
  ...['iptables', 'ip6tables'].flatMap(name => [`${name}-nft-save`, `${name}-nft-restore`]),
  ...['apt-get', 'conntrack', 'grep', 'id', 'ip', 'modprobe', 'nft', 'tee'],
]

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export class Program {
  readonly #folder = mkdtempSync(join(tmpdir(), 'switchyard-effects-'))

  readonly #main: string

  /** `main`: another program than Switchyard itself. */
  constructor({ main = MAIN }: { readonly main?: URL } = {}) {
    this.#main = fileURLToPath(main)
    for (const tool of TOOLS) this.#tool(tool)
    this.#tool('id', 'echo 0\n')
    // Every file of the kernel that is asked for holds a 0.
    this.#tool('grep', 'shift 2\nfor path; do echo "$path:0"; done\n')
  }

  /** From now on the tool prints this. */
  says(tool: string, text: string): void {
    this.does(tool, `/bin/cat <<'END'\n${text}END\n`)
  }

  /** From now on the tool does this, in the words of a shell. */
  does(tool: string, script: string): void {
    this.#tool(tool, script)
  }

  /** A file of this name in its folder; returns its path. */
  file(name: string, text: string): string {
    const path = this.path(name)
    writeFileSync(path, text)
    return path
  }

  path(name: string): string {
    return join(this.#folder, name)
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8')
  }

  /** What its tools were asked: a command line each, and what was given to it behind `<`. */
  get asked(): string {
    try {
      return this.read('asked')
    } catch {
      return ''
    }
  }

  /** Runs until it ends by itself. */
  run(...argv: readonly string[]): Promise<Ended> {
    return this.start(...argv).ended
  }

  start(...argv: readonly string[]) {
    const { NODE_COMPILE_CACHE } = process.env
    const env = { PATH: this.#folder, HOME: this.#folder, TZ: 'UTC', NODE_COMPILE_CACHE }
    const child = spawn(process.execPath, [this.#main, ...argv], { env, stdio: ['ignore', 'pipe', 'pipe'] })
    const heard = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) child[name].on('data', piece => (heard[name] += String(piece)))
    const ended = new Promise<Ended>(resolve => child.once('close', code => resolve({ code, ...heard })))
    return { pid: child.pid!, heard, ended, stop: () => child.kill('SIGTERM') }
  }

  remove(): void {
    // A tool that was ended half way may still be at its note.
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 50 })
  }

  #tool(name: string, more = ''): void {
    const note = `case "$*" in *monitor*) ;; *) input=$(/bin/cat);; esac\nprintf '%s < %s\\n' "${name} $*" "$input" >> '${this.path('asked')}'\n`
    writeFileSync(this.path(name), `#!/bin/sh\n${note}${more}`, { mode: 0o755 })
  }
}
