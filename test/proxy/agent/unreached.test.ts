import { expect, test } from 'vitest'
import { Program } from '../../effects/program.ts'
import { ask, freePort } from '../../support/local-ports.ts'

// The whole program on a node that starts before its API server, or without one.

test('an API server that is never reached leaves the process alive and the node not ready', {
  timeout: 60_000,
}, async () => {
  const program = new Program()
  const [healthz, apiServer] = [await freePort(), await freePort()]
  const run = program.start(
    `--healthz-bind-address=127.0.0.1:${healthz}`,
    '--metrics-bind-address=',
    `--master=http://127.0.0.1:${apiServer}`,
    '--hostname-override=here',
  )
  try {
    const livez = () => ask(healthz, '/livez').catch(() => undefined)
    await expect.poll(livez, { timeout: 30_000 }).toMatchObject({ status: 200 })
    await expect.poll(() => run.heard.stderr, { timeout: 30_000 }).toMatch(/ECONNREFUSED/)
    const { status, body } = await ask(healthz, '/healthz')
    expect(status).toBe(503)
    expect(JSON.parse(body)).toMatchObject({ healthy: false, apiServer: { healthy: false } })
    expect(await livez()).toMatchObject({ status: 200 })
  } finally {
    run.stop()
    expect(await run.ended).toMatchObject({ code: 0 })
    program.remove()
  }
})
