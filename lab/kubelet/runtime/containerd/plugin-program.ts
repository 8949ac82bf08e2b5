import { readFileSync } from 'node:fs'
import { askDaemon } from '#cni/daemon/client.ts'

// What containerd starts as a CNI plugin where no compiler has made the helper: `plugin-program.ts SOCKET NAME`, with CNI_* and a
// configuration on stdin → the answer of the node's daemon.

const [socket, plugin] = process.argv.slice(2) as [string, string]
const names = Object.keys(process.env).filter(name => name.startsWith('CNI_'))
const env = Object.fromEntries(names.map(name => [name, process.env[name] ?? '']))
const answer = await askDaemon(socket, { plugin, env, stdin: readFileSync(0, 'utf8') })
if (answer === undefined) {
  process.stdout.write(JSON.stringify({ code: 11, msg: 'switchyard: no daemon answers', details: `at ${socket}` }))
  process.exitCode = 1
} else {
  process.stderr.write(answer.stderr)
  process.stdout.write(answer.stdout)
  process.exitCode = answer.code
}
