import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VERSION } from '#command-line/version.ts'
import { agentAt } from '#operator/source/from-agent.ts'
import { type LocalHttpListener, serveLocalHttp } from '#system/local-http.ts'
import { captureLog } from '../../support/captured-log.ts'

// What is at the socket of this node's agent → the agent, or why it is not asked. Its cluster is in kernel/ask/.

let folder: string
let listener: LocalHttpListener | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agent-'))
})
afterEach(async () => {
  await listener?.close()
  listener = undefined
  rmSync(folder, { recursive: true })
})

async function asked(status: number, answer: object) {
  const socket = join(folder, 'agent.sock')
  listener = await serveLocalHttp(socket, async () => ({
    ...{ status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer) },
  }))
  const { log, lines } = captureLog()
  return { socket, agent: await agentAt(socket, log), lines }
}

const ANSWER = { version: VERSION, isComplete: true, nodeName: 'one', settings: {} }

test('an agent is asked where it knows all of the cluster', async () => {
  const { socket, agent, lines } = await asked(200, ANSWER)
  expect(agent).toEqual({ ...ANSWER, socket })
  expect(lines).toEqual([])
})

describe('one that runs is named as the reason why another source is asked', () => {
  test('where it does not know all yet', async () => {
    expect((await asked(200, { ...ANSWER, isComplete: false })).agent).toEqual({
      why: 'the agent on this node has not heard all of the cluster yet',
      isThere: true,
    })
  })

  test('where it answers with an error', async () => {
    const { socket, agent } = await asked(500, { no: 'memory' })
    expect(agent).toEqual({
      why: `the agent on this node is of no help (${socket}: it answered 500: {"no":"memory"})`,
      isThere: true,
    })
  })
})

test('where no socket is, no agent is there', async () => {
  const socket = join(folder, 'none.sock')
  expect(await agentAt(socket, captureLog().log)).toEqual({
    why: `no agent here (${socket}: there is no such socket)`,
  })
})
