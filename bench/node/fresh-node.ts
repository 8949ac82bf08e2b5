import { fileURLToPath } from 'node:url'
import { anyCommand } from '#lab/any-command.ts'
import { type Lab, openLab } from '#lab/network/lab.ts'
import { ipLines, within } from '#lab/network/namespaces.ts'
import { letAllRefusalsArrive } from '#lab/network/refusals.ts'
import { must } from '#system/must.ts'
import { startChild } from '#system/processes/children.ts'
import { hostKernel } from '#system/processes/kernel.ts'
import { type Measured, pooled } from './figures.ts'
import type { StepDone } from './inside.ts'
import type { Task } from './task.ts'

// A task → a node that nothing has touched, and what was measured there.

export type Order = Omit<Task, 'backends' | 'clientNamespace'>

const INSIDE = fileURLToPath(new URL('./inside.ts', import.meta.url))
const BACKENDS = [
  { name: 'backend-a', ip: '10.244.1.3' },
  { name: 'backend-b', ip: '10.244.1.4' },
] as const
const CLIENT = { name: 'client', ip4: '10.244.1.9', ip6: 'fd00:244:1::9' }

export async function onFreshNode(order: Order, stepDone: (done: StepDone) => void): Promise<Measured> {
  const pods = BACKENDS.map(({ name, ip }, i) => ({ name, ip4: ip, ip6: `fd00:244:1::${i + 3}` }))
  const lab = await openLab(hostKernel(), { pods: [...pods, CLIENT] })
  try {
    await prepare(lab)
    const clientNamespace = lab.pods[2]!.namespace
    return await measuredInside(lab, { ...order, backends: BACKENDS, clientNamespace }, stepDone)
  } finally {
    await lab.close()
  }
}

async function prepare({ node, outside, pods }: Lab): Promise<void> {
  for (const pod of pods.slice(0, 2)) await pod.listen('tcp', 8080)
  await letAllRefusalsArrive(node.kernel)
  // What leaves the node by its default route is not answered, not even by an error.
  await must(outside.kernel, ipLines(['route replace blackhole 10.96.0.0/12']))
  // No port is used again while the node may remember a connection from it.
  const ports = '/proc/sys/net/ipv4/ip_local_port_range'
  await must(pods[2]!.kernel, anyCommand(['tee', ports], { input: '1024 65535' }))
}

async function measuredInside({ node }: Lab, task: Task, stepDone: (done: StepDone) => void): Promise<Measured> {
  const steps: StepDone[] = []
  const inside = startChild({
    argv: within(node.namespace, [process.execPath, INSIDE, JSON.stringify(task)]),
    onLine: line => {
      const done = JSON.parse(line) as StepDone
      steps.push(done)
      stepDone(done)
    },
  })
  const { code, stderr } = await inside.ended
  if (code !== 0) throw new Error(`${task.contender.name}: the bench on the node ended with ${code}: ${stderr}`)
  return pooled(steps.map(({ measured }) => measured))
}
