import { IS_IPVS_LOADED } from '#dialects/ipvs.ts'
import type { Command, Outcome } from '#system/ports.ts'
import type { Machine, PaperTool } from '../machine.ts'
import { ServerUsage, serverLine } from './server-lines.ts'
import { ServerRefusal, VirtualServers } from './virtual-servers.ts'

// ipvsadm on paper, and the file that is there once it has loaded IPVS into the kernel.

const FAILED = 255

export class PaperIpvsadm implements PaperTool {
  readonly #servers: VirtualServers
  #isLoaded = false

  constructor(servers = new VirtualServers()) {
    this.#servers = servers
  }

  answersTo(program: string): boolean {
    return program === 'ipvsadm' || program === IS_IPVS_LOADED.argv[0]
  }

  run({ argv, input = '' }: Command): Outcome {
    if (argv[0] === IS_IPVS_LOADED.argv[0]) return this.#file(argv.slice(1).join(' '))
    this.#isLoaded = true
    const [flag = '', ...rest] = argv.slice(1)
    if (flag === '-R') return this.#restore(input.split('\n'))
    if (flag === '-Sn') return done(this.#servers.lines)
    // Timeouts show in nothing that is read.
    if (flag === '--set' && rest.length === 3) return done([])
    if (flag === '-C') {
      this.#servers.clear()
      return done([])
    }
    return this.#restore([[flag, ...rest].join(' ')])
  }

  dump(): readonly string[] {
    return this.#servers.lines
  }

  flush(): void {
    this.#servers.clear()
  }

  clone(_machine: Machine): PaperIpvsadm {
    const twin = new PaperIpvsadm(this.#servers.copy())
    twin.#isLoaded = this.#isLoaded
    return twin
  }

  /** Goes on after a line that the kernel refuses, and ends as the last one did; stops where it cannot read one. */
  #restore(lines: readonly string[]): Outcome {
    let code = 0
    let stderr = ''
    for (const line of lines.filter(line => line !== '')) {
      try {
        serverLine(this.#servers, line)()
        code = 0
      } catch (error) {
        if (error instanceof ServerUsage) return { code: error.code, stdout: '', stderr: `${stderr}${error.message}\n` }
        if (!(error instanceof ServerRefusal)) throw error
        code = FAILED
        stderr += `${error.message}\n`
      }
    }
    return { code, stdout: '', stderr }
  }

  #file(path: string): Outcome {
    const isThere = this.#isLoaded && path === IS_IPVS_LOADED.argv[1]
    return isThere ? done([]) : { code: 1, stdout: '', stderr: `cat: ${path}: No such file or directory\n` }
  }
}

function done(lines: readonly string[]): Outcome {
  return { code: 0, stdout: lines.map(line => `${line}\n`).join(''), stderr: '' }
}
