import { expect, test } from 'vitest'
import { type EnsureOptions, ensurePrograms, type Program } from '#lab/packages.ts'
import type { Command, Kernel, Outcome } from '#system/ports.ts'

// A Debian of paper: it has some programs and some packages, and remembers what apt-get was asked.

interface PaperDebian {
  readonly programs?: readonly string[]
  readonly user?: string
  readonly answer?: (command: Command) => Outcome | undefined
}

const CONTENTS: Readonly<Record<string, readonly string[]>> = {
  conntrack: ['conntrack'],
  iptables: ['iptables', 'ip6tables'],
  nftables: ['nft'],
  ipset: ['ipset'],
}
const done: Outcome = { code: 0, stdout: '', stderr: '' }

function debian({ programs = ['apt-get'], user = '0', answer }: PaperDebian) {
  const has = new Set([...programs, 'id'])
  const apt: Command[] = []
  const kernel: Kernel = {
    async run(command) {
      const [program, ...words] = command.argv
      if (!has.has(program)) return { code: 127, stdout: '', stderr: `${program}: not found in PATH` }
      if (program === 'id') return { ...done, stdout: `${user}\n` }
      // ipvsadm --version fails on a kernel without IPVS, and is there all the same.
      if (program !== 'apt-get') return { ...done, code: program === 'ipvsadm' ? 2 : 0 }
      if (words[0] === '--version') return done
      apt.push(command)
      const said = answer?.(command)
      if (said !== undefined) return said
      if (words[0] === 'install') for (const word of words) for (const name of CONTENTS[word] ?? []) has.add(name)
      return done
    },
  }
  return { kernel, apt }
}

async function ensure(
  machine: ReturnType<typeof debian>,
  wanted: readonly Program[],
  install: EnsureOptions['install'] = 'if-missing',
) {
  const sentences: string[] = []
  const ensured = await ensurePrograms(machine.kernel, wanted, { install, say: sentence => sentences.push(sentence) })
  return { ensured, sentences, commands: machine.apt.map(({ argv }) => argv.join(' ')) }
}

test('where nothing is missing nothing is said and nothing is done', async () => {
  const machine = debian({ programs: ['ip', 'iptables', 'ipvsadm'] })
  expect(await ensure(machine, ['ip', 'iptables', 'ipvsadm'])).toEqual({
    ensured: { ok: true, installed: [] },
    sentences: [],
    commands: [],
  })
})

test('missing programs are installed, each package once, and it is said before and after', async () => {
  const machine = debian({ programs: ['apt-get', 'nft'] })
  expect(await ensure(machine, ['iptables', 'ip6tables', 'nft', 'conntrack'])).toEqual({
    ensured: { ok: true, installed: ['conntrack', 'iptables'] },
    sentences: [
      'Installing conntrack and iptables with apt-get, because iptables, ip6tables, and conntrack are missing.',
      'Installed conntrack and iptables.',
    ],
    commands: ['apt-get update', 'apt-get install -y --no-install-recommends conntrack iptables'],
  })
  expect(machine.apt.map(({ env }) => env)).toEqual([
    { DEBIAN_FRONTEND: 'noninteractive' },
    { DEBIAN_FRONTEND: 'noninteractive' },
  ])
})

test('where it may not install it names what is missing and the command that would help, and touches nothing', async () => {
  const { ensured, sentences, commands } = await ensure(debian({}), ['ipset', 'conntrack'], 'never')
  expect(ensured).toEqual({
    ok: false,
    problem:
      'ipset and conntrack are missing (installing was not allowed); on Debian this would help: ' +
      'apt-get update && apt-get install -y --no-install-recommends conntrack ipset',
  })
  expect([...sentences, ...commands]).toEqual([])
})

test.each([
  { machine: { programs: [] }, why: 'this system has no apt-get, and only apt-get is known here' },
  { machine: { user: '1000' }, why: 'installing takes root' },
])('says in one line that $why', async ({ machine, why }) => {
  const { ensured, commands } = await ensure(debian(machine), ['ipset'])
  expect(ensured).toEqual({
    ok: false,
    problem: `ipset is missing (${why}); on Debian this would help: apt-get update && apt-get install -y --no-install-recommends ipset`,
  })
  expect(commands).toEqual([])
})

test('an update that fails is no reason to stop while the installation works', async () => {
  const machine = debian({ answer: ({ argv }) => (argv[1] === 'update' ? { ...done, code: 100 } : undefined) })
  expect((await ensure(machine, ['ipset'])).ensured).toEqual({ ok: true, installed: ['ipset'] })
})

test('where the installation fails apt says why, and a failed update is the cause', async () => {
  const offline = { code: 100, stdout: 'Err:1 deb', stderr: 'W: later\nE: Could not resolve the mirror\n' }
  const unknown = { code: 100, stdout: 'Reading package lists...', stderr: 'E: Unable to locate package ipset\n' }
  const both = debian({ answer: ({ argv }) => (argv[1] === 'update' ? offline : unknown) })
  expect((await ensure(both, ['ipset'])).ensured).toMatchObject({
    problem: expect.stringContaining('(apt-get update exited with 100: E: Could not resolve the mirror)'),
  })
  const one = debian({ answer: ({ argv }) => (argv[1] === 'update' ? undefined : unknown) })
  expect((await ensure(one, ['ipset'])).ensured).toMatchObject({
    problem: expect.stringContaining('(apt-get install exited with 100: E: Unable to locate package ipset)'),
  })
})

test('an installation that succeeds without bringing the program is not taken for success', async () => {
  const machine = debian({ answer: () => done })
  const { ensured, sentences } = await ensure(machine, ['ipset'])
  expect(ensured).toMatchObject({ problem: expect.stringContaining('apt-get succeeded, but') })
  expect(sentences).toHaveLength(1)
})
