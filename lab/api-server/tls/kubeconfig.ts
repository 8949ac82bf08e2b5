import { stringify } from 'yaml'
import type { Certificate } from './authority.ts'

// Where an API server is, and who speaks to it → the text of a kubeconfig file.

export interface KubeconfigParts {
  /** `https://127.0.0.1:6443` */
  readonly server: string
  /** The authority of the server's certificate, as PEM. Absent: the system's. */
  readonly ca?: string
  readonly user: { readonly name: string } & ({ readonly token: string } | Certificate)
  readonly cluster?: string
}

export function kubeconfigText({ server, ca, user, cluster = 'switchyard' }: KubeconfigParts): string {
  const context = `${user.name}@${cluster}`
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: cluster, cluster: { server, ...(ca && { 'certificate-authority-data': base64(ca) }) } }],
    users: [{ name: user.name, user: credentials(user) }],
    contexts: [{ name: context, context: { cluster, user: user.name } }],
    'current-context': context,
  })
}

function credentials(user: KubeconfigParts['user']): object {
  if ('token' in user) return { token: user.token }
  return { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) }
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64')
}
