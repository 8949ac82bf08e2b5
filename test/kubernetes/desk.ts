import type { Files } from '#kubernetes/access/credentials.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'

// What credentials touch of the machine, on paper: files that can change, and one program.

export class PaperFiles implements Files {
  readonly texts = new Map<string, string>()

  constructor(texts: Readonly<Record<string, string>> = {}) {
    for (const [path, text] of Object.entries(texts)) this.texts.set(path, text)
  }

  async readText(path: string): Promise<string> {
    const text = this.texts.get(path)
    if (text !== undefined) return text
    throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), { code: 'ENOENT' })
  }
}

/** Answers every command with what the test says, and remembers what was run. */
export class PaperPlugin implements Kernel {
  readonly ran: Command[] = []
  answer: (command: Command) => Promise<Outcome>

  constructor(answer: (command: Command) => Promise<Outcome>) {
    this.answer = answer
  }

  run(command: Command): Promise<Outcome> {
    this.ran.push(command)
    return this.answer(command)
  }
}

export function execCredential(status: object, apiVersion = 'client.authentication.k8s.io/v1'): Outcome {
  return { code: 0, stdout: JSON.stringify({ kind: 'ExecCredential', apiVersion, status }), stderr: '' }
}

export const PEM = '-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n'

/** As kubeadm writes it for kube-proxy. */
export const KUBEADM = `
apiVersion: v1
kind: Config
clusters:
- cluster:
    certificate-authority: /var/run/secrets/ca.crt
    server: https://10.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    namespace: default
    user: default
  name: default
current-context: default
users:
- name: default
  user:
    tokenFile: /var/run/secrets/token
`

/** A kubeconfig with one cluster and one user, as JSON, which is YAML. */
export function kubeconfig(user: object, cluster: object = { server: 'https://10.0.0.1:6443' }): string {
  return JSON.stringify({
    clusters: [{ name: 'here', cluster }],
    users: [{ name: 'me', user }],
    contexts: [{ name: 'me@here', context: { cluster: 'here', user: 'me' } }],
    'current-context': 'me@here',
  })
}
