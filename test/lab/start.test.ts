import { afterEach, beforeEach, expect, test } from 'vitest'
import { Program } from '../effects/program.ts'

// npm start on a machine that lacks the tools: each tool it may call notes what it was asked.

const START = new URL('../../lab/start.ts', import.meta.url)
const IS_ROOT = process.getuid?.() === 0

let program: Program

beforeEach(() => {
  program = new Program({ main: START })
})

afterEach(() => program.remove())

test('--no-install installs nothing, and says in one line what is missing', async () => {
  const { code, stderr } = await program.run('--no-install')
  expect([code, program.asked.includes('apt-get install')]).toEqual([1, false])
  expect(stderr).toMatch(/^Error: .*missing.*\n$/)
})

test.runIf(IS_ROOT)('without it, what is missing is installed', async () => {
  await program.run()
  expect(program.asked).toContain('apt-get install')
})

test('--help says what the lab is, and shows its own flag', async () => {
  const { code, stdout } = await program.run('--help')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^A cluster on this machine[\s\S]*--no-install/)
})

test('a flag that there is not is named, with the usage of the lab', async () => {
  const { code, stderr } = await program.run('--no-install', '--nods=3')
  expect([code, stderr]).toEqual([
    1,
    'Error: unknown flag: --nods\nUsage:\n  npm start -- [flags] [flags of "switchyard run"]\nRun "npm start -- --help" for all flags.\n',
  ])
})

test.runIf(IS_ROOT)('a range for Services that is none is named before anything is made', async () => {
  const { code, stderr } = await program.run('--no-install', '--service-cluster-ip-range=10.96.0.0')
  expect([code, stderr]).toEqual([
    1,
    expect.stringMatching(/--service-cluster-ip-range: .* is no range such as 10\.96\.0\.0\/16/),
  ])
  expect((await program.run('--no-install', '--service-node-port-range=x')).stderr).toContain(
    '--service-node-port-range',
  )
})
