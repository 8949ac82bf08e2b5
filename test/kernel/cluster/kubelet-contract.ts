import { expect, test } from 'vitest'
import { type KubeletStage, SLOWLY } from './kubelet-stage.ts'

// What holds for pods of a kubelet whichever runtime they are of.

export const WEB = {
  containers: [{ name: 'main', ports: [{ containerPort: 80 }, { containerPort: 53, protocol: 'UDP' }] }],
}

export function shell(text: string, more: object = {}) {
  return { containers: [{ name: 'main', command: ['sh', '-c', text], ...more }] }
}

export function kubeletContract(stage: KubeletStage): void {
  test('a pod without a command answers with its name in both families, and leaves nothing', async () => {
    await stage.create('web', WEB)
    const { status } = await stage.readyPod('web')
    const [ip4, ip6] = status!.podIPs!.map(({ ip }) => ip)
    expect([status!.podIP, ip6]).toEqual([ip4, expect.stringMatching(/^fd00:244:1::/)])
    expect(await stage.held()).toEqual([`${ip4} default/web`, `${ip6} default/web`])
    // It counts as ready when it has begun, a moment before it listens.
    await expect.poll(async () => (await stage.asked(`http://${ip4}/`)).stdout, SLOWLY).toBe('web\n')
    expect((await stage.asked(`http://[${ip6}]/hostname`)).stdout).toBe('web\n')
    expect((await stage.ask('bash', '-c', `head -1 </dev/tcp/${ip4}/80`)).stdout).toBe('web\n')
    const line = await stage.ask('bash', '-c', `exec 3<>/dev/tcp/${ip4}/80; echo 'a "b"' >&3; head -1 <&3`)
    expect(JSON.parse(line.stdout)).toMatchObject({ name: 'web', text: 'a "b"' })
    await stage.delete('web')
    expect(await stage.held()).toEqual([])
  })

  test('a command runs in the network and under the name of its pod, with its variables, and is asked by logs and exec', async () => {
    const env = [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }]
    await stage.create('cmd', shell('echo "$IP $(hostname)"; echo oops >&2; exec sleep 1000', { env }))
    const ip = (await stage.readyPod('cmd')).status!.podIP!
    // Which of two streams comes first is not said.
    const lines = async () => (await stage.logOf('cmd')).split('\n').sort()
    await expect.poll(lines, SLOWLY).toEqual(['', `${ip} cmd`, 'oops'])
    const { kubelet } = stage
    const exec = async (tty: boolean, ...command: readonly string[]) => {
      const session = kubelet.exec({ namespace: 'default', name: 'cmd' }, { command, stdin: false, tty })
      const said: string[] = []
      for (const stream of [session.stdout, session.stderr]) stream.on('data', bytes => said.push(String(bytes)))
      const code = await session.exit
      await expect.poll(() => session.stdout.readableEnded || session.stdout.destroyed, SLOWLY).toBe(true)
      return { code, said: said.join('').trim() }
    }
    expect(await exec(false, 'sh', '-c', 'ip -4 -o addr show eth0; exit 3')).toEqual({
      ...{ code: 3, said: expect.stringContaining(`inet ${ip}/24`) },
    })
    const terminal = await exec(true, 'sh', '-c', 'test -t 0 && sleep 0.5 && echo a terminal')
    expect(terminal).toEqual({ code: 0, said: expect.stringContaining('a terminal') })
    await stage.delete('cmd')
  })

  test('a command that fails is restarted, held back, and its log is kept', async () => {
    await stage.create('crash', shell('echo bad; exit 3'))
    const state = async () => (await stage.pod('crash'))?.status?.containerStatuses?.[0]
    await expect.poll(state, SLOWLY).toMatchObject({
      ...{ state: { waiting: { reason: 'CrashLoopBackOff' } }, restartCount: 1 },
      lastState: { terminated: { exitCode: 3, reason: 'Error' } },
    })
    expect(await stage.logOf('crash', 'previous=true')).toBe('bad\n')
    await expect
      .poll(() => stage.events('crash'), SLOWLY)
      .toContainEqual(expect.stringMatching(/^BackOff Back-off restarting failed/))
    await stage.remove('crash')
  })

  test('pods that end are Completed or Error, and one whose program is not there says so', async () => {
    const once = { restartPolicy: 'Never' }
    await stage.create('good', { ...shell('true'), ...once })
    await stage.create('bad', { ...shell('exit 4'), ...once })
    await stage.create('lost', { containers: [{ name: 'main', command: ['no-such-program'] }], ...once })
    await expect.poll(() => stage.endOf('good'), SLOWLY).toMatchObject({ exitCode: 0, reason: 'Completed' })
    await expect.poll(() => stage.endOf('bad'), SLOWLY).toMatchObject({ exitCode: 4, reason: 'Error' })
    await expect
      .poll(() => stage.endOf('lost'), SLOWLY)
      .toMatchObject({
        ...{ reason: 'StartError', message: expect.stringContaining('no-such-program') },
      })
    const held = async () => (await stage.held()).filter(line => /good|bad|lost/.test(line))
    await expect.poll(held, SLOWLY).toEqual([])
    await stage.remove('good', 'bad', 'lost')
  })

  test('probes ask from the node', async () => {
    const containers = [
      {
        ...{ name: 'main', ports: [{ name: 'http', containerPort: 8080 }] },
        startupProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
        readinessProbe: { httpGet: { path: '/healthz', port: 'http' }, periodSeconds: 1 },
        livenessProbe: { exec: { command: ['true'] }, periodSeconds: 1 },
      },
      { name: 'never', readinessProbe: { httpGet: { path: '/other', port: 8080 }, periodSeconds: 1 } },
    ]
    await stage.create('probed', { containers })
    const ready = async () => (await stage.pod('probed'))?.status?.containerStatuses?.map(({ ready }) => ready)
    await expect.poll(ready, SLOWLY).toEqual([true, false])
    await expect.poll(() => stage.logOf('probed', 'container=main'), SLOWLY).toMatch(/\bGET \/healthz\b/)
    await expect
      .poll(() => stage.events('probed'), SLOWLY)
      .toContain('Unhealthy Readiness probe failed: HTTP probe failed with statuscode: 404')
    await stage.remove('probed')
  })

  test('a host port leads to its pod, and a pod may be in the network of the node', async () => {
    await stage.create('mapped', { containers: [{ name: 'main', ports: [{ containerPort: 80, hostPort: 8080 }] }] })
    const ports = [{ containerPort: 9090 }]
    await stage.create('host', { hostNetwork: true, containers: [{ name: 'main', ports }] })
    await stage.readyPod('mapped')
    expect((await stage.readyPod('host')).status).toMatchObject({ podIP: stage.node.ip4, hostIP: stage.node.ip4 })
    const { ip4 } = stage.node
    const outside = (url: string) =>
      stage.run('ip', 'netns', 'exec', `${stage.name}-outside`, 'curl', '-s', '-m', '3', url)
    const answer = async (port: number) => (await outside(`http://${ip4}:${port}/`)).stdout
    await expect.poll(() => answer(8080), SLOWLY).toBe('mapped\n')
    await expect.poll(() => answer(9090), SLOWLY).toBe('host\n')
    await stage.remove('mapped', 'host')
    await expect.poll(async () => (await outside(`http://${ip4}:9090/`)).code, SLOWLY).not.toBe(0)
  })

  test('without the daemon no pod begins, and says why; nothing is left of it, and with the daemon it runs', async () => {
    await stage.node.stop('pods')
    await stage.create('waiting', WEB)
    await expect
      .poll(() => stage.events('waiting'), SLOWLY)
      .toContainEqual(expect.stringMatching(/^FailedCreatePodSandBox .*failed \(add\): switchyard: no daemon answers/))
    stage.startDaemon()
    await stage.readyPod('waiting')
    await stage.remove('waiting')
  })
}
