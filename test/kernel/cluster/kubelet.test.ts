import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cannotRun } from '../namespace.ts'
import { kubeletContract, shell, WEB } from './kubelet-contract.ts'
import { KubeletStage, SLOWLY } from './kubelet-stage.ts'

// Pods of a kubelet of the lab, with the daemon of the pod network under them, as clients on the node see them.

const why = cannotRun('musl-gcc', 'nsenter', 'unshare', 'curl', 'setpriv')

describe.skipIf(why !== undefined)(`a kubelet${why ? ` (skipped: ${why})` : ''}`, { timeout: 120_000 }, () => {
  const stage = new KubeletStage()
  beforeAll(async () => {
    await stage.open()
    await stage.startKubelet()
  })
  afterAll(() => stage.close())

  kubeletContract(stage)

  test('a pod without a command answers each line and each datagram, and greets a client that says nothing', async () => {
    await stage.create('lines', WEB)
    const ip = (await stage.readyPod('lines')).status!.podIP!
    expect((await stage.asked(`http://${ip}/clientip`)).stdout).toMatch(/^10\.244\.1\.1:\d+\n$/)
    const lines = await stage.ask('bash', '-c', `exec 3<>/dev/tcp/${ip}/80; echo hi >&3; head -1 <&3`)
    expect(JSON.parse(lines.stdout)).toMatchObject({ name: 'lines', peer: { address: '10.244.1.1' }, text: 'hi' })
    expect((await stage.ask('bash', '-c', `head -1 </dev/tcp/${ip}/80`)).stdout).toBe('lines\n')
    const datagram = await stage.ask('bash', '-c', `exec 3<>/dev/udp/${ip}/53; echo hi >&3; head -1 <&3`)
    expect(JSON.parse(datagram.stdout)).toMatchObject({ name: 'lines', local: { address: ip, port: 53 } })
    expect(await stage.logOf('lines')).toMatch(/^10\.244\.1\.1:\d+ GET \/clientip 200$/m)
    await stage.delete('lines')
    expect([await stage.held(), await stage.namespaces()]).toEqual([[], []])
  })

  test('a command that a signal ends says which', async () => {
    await stage.create('killed', { ...shell('kill -9 $$'), restartPolicy: 'Never' })
    const end = { exitCode: 137, signal: 9, reason: 'Error' }
    await expect.poll(() => stage.endOf('killed'), SLOWLY).toMatchObject(end)
    await stage.remove('killed')
  })

  test('a pod that is being deleted answers for as long as clients come, and a little longer', async () => {
    await stage.create('going', { ...WEB, terminationGracePeriodSeconds: 60 })
    const ip = (await stage.readyPod('going')).status!.podIP!
    await stage.client.delete('Pod', { namespace: 'default', name: 'going' })
    const until = Date.now() + 3000
    while (Date.now() < until) expect((await stage.asked(`http://${ip}/`)).stdout).toBe('going\n')
    expect((await stage.pod('going'))?.status?.phase).toBe('Running')
    await expect.poll(() => stage.pod('going'), SLOWLY).toBeUndefined()
  })

  test('a probe is no client: a pod that nothing else asks ends as soon as any other', async () => {
    const main = { ...WEB.containers[0]!, readinessProbe: { httpGet: { path: '/readyz', port: 80 }, periodSeconds: 1 } }
    await stage.create('asked', { containers: [main], terminationGracePeriodSeconds: 600 })
    await stage.readyPod('asked')
    await stage.delete('asked')
  })

  /** Found by it among the processes of the machine. */
  const LONG = `4711.${process.pid}`

  test('init containers come first, and what a process has started ends with its pod', async () => {
    const init = { initContainers: [{ name: 'init', command: ['sh', '-c', 'echo first'] }] }
    await stage.create('init', { ...shell(`setsid sleep ${LONG} & exec sleep 1000`), ...init })
    await stage.readyPod('init')
    expect(await stage.logOf('init', 'container=init')).toBe('first\n')
    const left = () => stage.run('pgrep', '-f', `^sleep ${LONG}$`).then(({ stdout }) => stdout)
    await expect.poll(left, SLOWLY).not.toBe('')
    await stage.delete('init')
    expect(await left()).toBe('')
  })

  test('a kubelet that is killed leaves nothing behind, and the next one goes on with its pods', async () => {
    await stage.closeKubelet()
    const killed = await stage.startKubeletProgram()
    await stage.create('stays', WEB)
    await stage.create('deleted', WEB)
    await stage.create('forgotten', shell(`setsid sleep ${LONG} & exec sleep ${LONG}`))
    const [stays] = await Promise.all(['stays', 'deleted', 'forgotten'].map(name => stage.readyPod(name)))
    process.kill(killed.pid!, 'SIGKILL')
    await killed.ended
    await stage.client.delete('Pod', { namespace: 'default', name: 'deleted' })
    await stage.client.delete('Pod', { namespace: 'default', name: 'forgotten' }, { gracePeriodSeconds: 0 })
    expect((await stage.namespaces()).length).toBe(3)
    await stage.startKubelet()
    await expect
      .poll(async () => (await stage.pod('stays'))?.status?.containerStatuses?.[0], SLOWLY)
      .toMatchObject({ ready: true, restartCount: 1, lastState: { terminated: { exitCode: 137 } } })
    expect((await stage.pod('stays'))!.status!.podIPs).toEqual(stays!.status!.podIPs)
    const ip = stays!.status!.podIP!
    expect((await stage.asked(`http://${ip}/`)).stdout).toBe('stays\n')
    await expect.poll(() => stage.namespaces(), SLOWLY).toHaveLength(1)
    await expect.poll(() => stage.pod('deleted'), SLOWLY).toBeUndefined()
    expect((await stage.held()).map(line => line.split(' ')[1])).toEqual(['default/stays', 'default/stays'])
    expect((await stage.run('pgrep', '-f', `^sleep ${LONG}$`)).stdout).toBe('')
    await stage.remove('stays')
  })
})
