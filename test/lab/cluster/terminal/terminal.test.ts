import { expect, test } from 'vitest'
import { Terminal, type TerminalParts } from '#lab/cluster/terminal/terminal.ts'

function written(parts: Partial<TerminalParts>, use: (terminal: Terminal) => void): string {
  let text = ''
  const write = (more: string) => {
    text += more
    return true
  }
  use(new Terminal({ write, kind: 'pipe', width: () => 80, env: {}, output: 'all', ...parts }))
  return text
}

const BUILDING = (terminal: Terminal): void => {
  terminal.progress('building the program')
  terminal.progress('starting 2 nodes')
  terminal.lines(['done'])
}

test('in a pipe, progress is a line each', () => {
  expect(written({}, BUILDING)).toBe('building the program\nstarting 2 nodes\ndone\n')
})

test('on a terminal it is one line that is written anew, and gone when something is said', () => {
  const text = written({ kind: 'terminal', env: { NO_COLOR: '1' } }, BUILDING)
  expect(text).toBe('\r\x1b[K… building the program\r\x1b[K… starting 2 nodes\r\x1b[Kdone\n')
})

test('colours are for terminals that want them', () => {
  const command = (terminal: Terminal) => terminal.command('ip route')
  expect(written({ kind: 'terminal' }, command)).toBe('\x1b[32m$\x1b[0m \x1b[1mip route\x1b[0m\n')
  for (const parts of [
    { kind: 'terminal', env: { NO_COLOR: '1' } },
    { kind: 'terminal', env: { TERM: 'dumb' } },
    { kind: 'pipe' },
  ] as const)
    expect(written(parts, command)).toBe('$ ip route\n')
})

test('prose is broken at the width, and a line of output is cut there', () => {
  const text = written({ width: () => 20 }, terminal => {
    terminal.say('Pods come by CNI: an address of their node.')
    terminal.lines(['10.244.2.0/24 via 192.0.2.12 dev eth0'])
  })
  expect(text).toBe('Pods come by CNI: an\naddress of their\nnode.\n10.244.2.0/24 via 1…\n')
})

test('a quiet session says nothing', () => {
  expect(written({ output: 'quiet' }, BUILDING)).toBe('')
})
