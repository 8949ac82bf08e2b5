import { anyCommand } from '#lab/any-command.ts'
import { answering } from '#system/answers/answering.ts'
import type { Command } from '#system/ports.ts'
import { hostKernel } from '#system/processes/kernel.ts'

// Runs in a network namespace: a command line → its exit status, the chains of ours it listed, its complaints, and whether a program ran.

const host = hostKernel()
let ran = 0
const kernel = answering({
  run: (command: Command) => {
    ran++
    return host.run(command)
  },
  idle: () => host.idle(),
})
const { code, stdout, stderr } = await kernel.run(anyCommand(JSON.parse(process.argv[2]!)))
const chains = [...stdout.matchAll(/^:(KUBE-\S+)/gm)].map(([, chain]) => chain)
console.log(JSON.stringify({ code, chains, stderr, by: ran > 0 ? 'a program' : 'netlink or a file' }))
