import { spawn } from 'node:child_process'
import { constants } from 'node:os'

// The command line of --exec → its exit status; it has the terminal, and a Ctrl-C there is its own, too.

export interface ExecParts {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
}

export async function execLine(line: string, { env, signal }: ExecParts): Promise<number> {
  signal.throwIfAborted()
  const child = spawn('sh', ['-c', line], { stdio: 'inherit', env: { ...env } })
  const end = (): void => void child.kill('SIGTERM')
  signal.addEventListener('abort', end, { once: true })
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, ended) => resolve(code ?? 128 + constants.signals[ended!]))
    })
  } finally {
    signal.removeEventListener('abort', end)
  }
}
