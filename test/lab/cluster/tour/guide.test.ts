import { describe, expect, test } from 'vitest'
import { anyCommand } from '#lab/any-command.ts'
import type { Shell } from '#lab/cluster/shell/commands.ts'
import { Terminal } from '#lab/cluster/terminal/terminal.ts'
import { answeredBy } from '#lab/cluster/tour/answered-by.ts'
import { failedStep, Guide, StepFailed } from '#lab/cluster/tour/guide.ts'
import { PaperClock } from '#lab/paper/clock.ts'

// A tour whose steps do not all go as they should.

test('a step that fails is why the tour ends; what else goes wrong is an error', async () => {
  expect(await failedStep(Promise.resolve())).toBeUndefined()
  expect(await failedStep(Promise.reject(new StepFailed('outside ask 192.0.2.11 30080: refused')))).toBe(
    'outside ask 192.0.2.11 30080: refused',
  )
  await expect(failedStep(Promise.reject(new Error('interrupted')))).rejects.toThrow('interrupted')
})

describe('a step that asks a pod', () => {
  function asking(answers: readonly string[]) {
    const clock = new PaperClock()
    const left = [...answers]
    let text = ''
    const write = (more: string) => {
      text += more
      return true
    }
    const guide = new Guide({
      clock,
      kernel: {
        run: async () => {
          const stdout = left.shift() ?? ''
          return { code: stdout === '' ? 1 : 0, stdout, stderr: stdout === '' ? 'refused' : '' }
        },
      },
      shell: { command: (line: string) => anyCommand(['sh', '-c', line]) } as Shell,
      terminal: new Terminal({ write, kind: 'pipe', width: () => 80, env: {}, output: 'all' }),
      signal: new AbortController().signal,
    })
    const failed = failedStep(
      guide.show({ command: 'outside ask 192.0.2.11 30080', ...answeredBy('web') }).then(() => {}),
    )
    return { clock, failed, text: () => text }
  }

  test('asks again until the pod listens and the rules lead to it, and shows that answer alone', async () => {
    const { clock, failed, text } = asking(['', 'HTTP/1.1 502\n', 'web-1\n'])
    await clock.advance(1000)
    expect(await failed).toBeUndefined()
    expect(text()).toBe('$ outside ask 192.0.2.11 30080\nweb-1\n')
  })

  test('says soon that it has no answer', async () => {
    const { clock, failed } = asking([])
    await clock.advance(20_200)
    expect(await failed).toBe('outside ask 192.0.2.11 30080: refused')
  })
})
