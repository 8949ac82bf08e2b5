import { release } from 'node:os'
import type { Command, Outcome } from '#system/ports.ts'
import type { HostKernel } from '#system/processes/kernel.ts'

import { iptablesAnswer } from './iptables.ts'
import { readFiles, writeFileOf } from './kernel-files.ts'
import { addressesAsJson, routesAsJson } from './network.ts'
import { nftAnswer } from './nft.ts'

// A kernel that runs programs → the same kernel; what this process can answer in a program's words, it answers itself. To
// start a program costs some 5 ms of our main thread and more the more memory we have, a file of /proc costs 0.02 ms.

/**
 * For commands of this process's own network namespace: a command for another one has other words (`ip netns exec …`) and
 * is run. So is every command that cannot be answered here.
 */
export function answering(kernel: HostKernel, path = process.env.PATH): HostKernel {
  if (!hasSystemTools(path)) return kernel
  return {
    run: command => answerTo(command) ?? kernel.run(command),
    idle: () => kernel.idle(),
  }
}

/** A PATH without any of these has programs that stand in for the system's, such as those of tests: they are run. */
const SYSTEM_FOLDERS: readonly string[] = ['/bin', '/usr/bin', '/usr/local/bin']

export function hasSystemTools(path = process.env.PATH): boolean {
  return path === undefined || path.split(':').some(folder => SYSTEM_FOLDERS.includes(folder))
}

/** Undefined for a command that takes its program. */
function answerTo({ argv, input, env }: Command): Promise<Outcome> | undefined {
  if (env !== undefined) return undefined
  const [program, ...words] = argv
  if (program === 'tee' && input !== undefined) return writeFileOf(words, input)
  if (input !== undefined) return undefined
  const answer = PROGRAMS[program]?.(words) ?? iptablesAnswer(program, words)
  return answer && Promise.resolve(answer)
}

const PROGRAMS: Readonly<Record<string, (words: readonly string[]) => Outcome | undefined>> = {
  cat: words => readFiles('cat', words),
  grep: ([first, second, ...paths]) => (first === '-H' && second === '' ? readFiles('grep', paths) : undefined),
  uname: words => (words.join() === '-r' ? said(`${release()}\n`) : undefined),
  ip: words => said(IP_LISTINGS[words.join(' ')]?.()),
  nft: nftAnswer,
}

const IP_LISTINGS: Readonly<Record<string, () => string | undefined>> = {
  '-json address show': () => addressesAsJson(),
  '-json -4 route show': () => routesAsJson('ipv4'),
  '-json -6 route show': () => routesAsJson('ipv6'),
}

function said(stdout: string | undefined): Outcome | undefined {
  return stdout === undefined ? undefined : { code: 0, stdout, stderr: '' }
}
