import { answer } from '#cni/answer.ts'
import { nodeMachine, PLUGINS } from '#cni/daemon/machine.ts'
import { VERSION } from '#command-line/version.ts'
import { systemClock } from '#system/clock.ts'
import { readStandardInput } from '#system/files.ts'
import { environment, leave } from '#system/host.ts'
import { complain, print } from '#system/output.ts'
import type { Kernel } from '#system/ports.ts'

// CNI_* and stdin → what the daemon would do with them, where none serves. The helper, src/cni/shim.c, starts it as
// `node cni.js --plugin=NAME [--again]`.

const { CNI_COMMAND: command } = environment()
const words = process.argv.slice(2)
const plugin = words.find(word => word.startsWith('--plugin='))?.slice('--plugin='.length) ?? 'switchyard'
const call = { plugin, env: environment(), stdin: command ? await readStandardInput() : '' }
// Most calls start no program, and what starts one takes a while to load.
const kernel: Kernel = {
  run: async command => (await import('#system/processes/kernel.ts')).hostKernel().run(command),
}
const machine = nodeMachine({ kernel, clock: systemClock })
const parts = { plugins: PLUGINS, machine, version: VERSION }
// A daemon died while it made this. What it has taken and made so far is not known here, but a DEL takes back all of it.
if (command === 'ADD' && words.includes('--again'))
  await answer({ ...call, env: { ...call.env, CNI_COMMAND: 'DEL' } }, parts)
const { code, stdout, stderr } = await answer(call, parts)
machine.close()
if (stderr !== '') complain(stderr)
if (stdout !== '') print(stdout)
await machine.idle()
leave(code)
