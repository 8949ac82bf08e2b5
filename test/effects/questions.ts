import { expect } from 'vitest'
import type { Effects } from './effect.ts'
import { Program } from './program.ts'

// Which cluster a question is about, and how far it goes.

const CLUSTER = `apiVersion: v1
kind: Service
metadata: {name: a}
spec: {clusterIP: 10.96.0.9, clusterIPs: [10.96.0.9], ipFamilies: [IPv4], ports: [{port: 81}]}
`
const CONTEXTS = `apiVersion: v1
kind: Config
current-context: one
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: []
contexts: [{name: one, context: {cluster: c}}, {name: two, context: {cluster: d}}]
`
const EMPTY_NAT = '*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n'

export const QUESTIONS: Effects = {
  context: () =>
    asked(async program => {
      const kubeconfig = program.file('config', CONTEXTS)
      const ask = (...argv: readonly string[]) => program.run('render', `--kubeconfig=${kubeconfig}`, ...argv)
      expect((await ask()).stderr).toContain('cannot reach http://127.0.0.1:1')
      expect((await ask('--context=two')).stderr).toContain('context "two": cluster "d" is not among clusters')
      expect((await ask('--context=three')).stderr).toContain(
        `--context: "three" is no context of ${kubeconfig}: it has one, two`,
      )
    }),
  live: () =>
    asked(async program => {
      const words = ['explain', '10.244.1.9', '10.96.0.9:81', '-f', program.file('a.yaml', CLUSTER)]
      expect((await program.run(...words)).stdout).toContain('⇒ is refused')
      program.says('iptables-nft-save', EMPTY_NAT)
      const { stdout } = await program.run(...words, '--live')
      expect(stdout).toContain('as its kernel has them')
      expect(stdout).toContain('⇒ is no concern of ours')
    }),
  send: () =>
    asked(async program => {
      const words = ['explain', '10.244.1.9', '10.96.0.9:81', '-f', program.file('a.yaml', CLUSTER)]
      const { code, stderr } = await program.run(...words, '--send')
      expect(code).toBe(1)
      expect(stderr).toContain('--send: 10.244.1.9 is neither an address of this node nor of a pod')
    }),
  repair: () =>
    asked(async program => {
      program.says('iptables-nft-save', EMPTY_NAT)
      const words = ['verify', '--family=ipv4', '--metrics-bind-address=', '-f', program.file('a.yaml', CLUSTER)]
      await program.run(...words)
      expect(program.asked).not.toMatch(/^iptables-nft-restore /m)
      await program.run(...words, '--repair')
      expect(program.asked).toMatch(/^iptables-nft-restore [^<]*< [\s\S]*:KUBE-SERVICES/m)
    }),
}

async function asked(question: (program: Program) => Promise<void>): Promise<void> {
  const program = new Program()
  try {
    await question(program)
  } finally {
    program.remove()
  }
}
