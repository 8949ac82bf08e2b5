import { afterEach, beforeEach, expect, test } from 'vitest'
import { Program } from '../effects/program.ts'

// SIGTERM while the program is still on its way: kubelet may change its mind within a second.

let program: Program

beforeEach(() => {
  program = new Program()
})

afterEach(() => program.remove())

test('who is told to go while they come finishes the command that runs, and ends well', {
  timeout: 30_000,
}, async () => {
  program.does('iptables-nft-save', `/bin/sleep 0.3\necho done >> '${program.path('asked')}'\n`)
  const servers = ['--healthz-bind-address=', '--metrics-bind-address=']
  const { stop, ended } = program.start('--master=http://127.0.0.1:1', ...servers)
  await expect.poll(() => program.asked, { timeout: 20_000, interval: 10 }).toContain('iptables-nft-save')
  stop()
  expect(await ended).toMatchObject({ code: 0 })
  expect(program.asked).toContain('done')
  expect(program.asked).not.toContain('restore')
})
