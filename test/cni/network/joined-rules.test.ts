import { expect, test } from 'vitest'
import { joinedRules } from '#cni/network/joined-rules.ts'
import { block, plainlyNamed, restoreInto } from '#dialects/iptables.ts'
import { applyLines } from '#dialects/nft.ts'
import { anyCommand } from '#lab/any-command.ts'
import { PaperClock } from '#lab/paper/clock.ts'
import type { Command, Outcome } from '#system/ports.ts'

const settled = () => new Promise(resolve => setImmediate(resolve))
const V4 = plainlyNamed('ipv4', 'nft')
const nat = (...lines: readonly string[]): Command => restoreInto(V4, block('nat', lines))

/** Ends a program when the test says so. */
class SlowKernel {
  readonly inputs: (string | undefined)[] = []
  readonly #open: ((outcome: Outcome) => void)[] = []

  run(command: Command): Promise<Outcome> {
    this.inputs.push(command.input)
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.#open.push(resolve)
    return promise
  }

  end(code = 0): void {
    this.#open.shift()!({ code, stdout: '', stderr: '' })
  }
}

function opened() {
  const [kernel, clock] = [new SlowKernel(), new PaperClock()]
  return { kernel, clock, joined: joinedRules(kernel, clock) }
}

test('a change that comes alone runs at once', () => {
  const { kernel, joined } = opened()
  void joined.run(nat('-A A -j B'))
  expect(kernel.inputs).toEqual(['*nat\n-A A -j B\nCOMMIT\n'])
})

test('those that come while one runs go together, in their order, when it has ended', async () => {
  const { kernel, joined } = opened()
  const outcomes = ['1', '2', '3'].map(n => joined.run(nat(`:C${n} - [0:0]`, `-A C${n} -j ACCEPT`)))
  kernel.end()
  await outcomes[0]
  await settled()
  expect(kernel.inputs.slice(1)).toEqual(['*nat\n:C2 - [0:0]\n-A C2 -j ACCEPT\n:C3 - [0:0]\n-A C3 -j ACCEPT\nCOMMIT\n'])
  kernel.end()
  expect((await Promise.all(outcomes)).map(({ code }) => code)).toEqual([0, 0, 0])
})

test('one that takes long keeps the others waiting for a moment and no longer', async () => {
  const { kernel, clock, joined } = opened()
  void joined.run(applyLines(['add element ip t m { 1.1.1.1 }']))
  void joined.run(applyLines(['add element ip t m { 1.1.1.2 }']))
  clock.advance(19)
  await settled()
  expect(kernel.inputs).toHaveLength(1)
  clock.advance(1)
  await settled()
  expect(kernel.inputs).toHaveLength(2)
})

test('where they are refused together, each is tried alone, and the one at fault is refused', async () => {
  const { kernel, joined } = opened()
  const outcomes = ['-A A', '-A WRONG', '-A C'].map(line => joined.run(nat(line)))
  kernel.end()
  await settled()
  kernel.end(2)
  await settled()
  kernel.end(2)
  await settled()
  kernel.end(0)
  expect((await Promise.all(outcomes)).map(({ code }) => code)).toEqual([0, 2, 0])
  expect(kernel.inputs.slice(2)).toEqual(['*nat\n-A WRONG\nCOMMIT\n', '*nat\n-A C\nCOMMIT\n'])
})

test('a kernel that fails instead of an outcome fails each change of its own, and the next one runs', async () => {
  let isBroken = true
  const kernel = {
    run: async (): Promise<Outcome> => {
      if (isBroken) throw new Error('no descriptors left')
      return { code: 0, stdout: '', stderr: '' }
    },
  }
  const joined = joinedRules(kernel, new PaperClock())
  const changes = await Promise.allSettled(['-A A', '-A B', '-A C'].map(line => joined.run(nat(line))))
  expect(changes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
  isBroken = false
  expect((await joined.run(nat('-A D'))).code).toBe(0)
})

test('what adds does not wait for what removes, nor one tool for another, nor anything for a look', () => {
  const { kernel, joined } = opened()
  for (const command of [
    nat('-D A -j B', '-F B', '-X B'),
    nat('-A A -j B'),
    restoreInto(plainlyNamed('ipv6', 'nft'), block('nat', ['-A A -j B'])),
    restoreInto(V4, block('filter', ['-A A -j B'])),
    restoreInto(V4, block('filter', ['-A A -j B']) + block('nat', ['-A A -j B'])),
    applyLines(['add table ip t']),
    applyLines(['delete table ip t']),
    anyCommand(['iptables', '-S']),
    anyCommand(['iptables', '-S']),
  ])
    void joined.run(command)
  expect(kernel.inputs).toHaveLength(9)
})
