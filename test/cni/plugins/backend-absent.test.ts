import { describe, expect, test } from 'vitest'
import { BackendAbsent, failureOf, listedBy } from '#cni/plugins/backend-absent.ts'
import { type Command, NOT_EXECUTABLE, NOT_FOUND } from '#system/ports.ts'

const NFT: Command = { does: 'look', argv: ['nft', 'list', 'table', 'ip', 'x'] }
const IPTABLES: Command = { does: 'look', argv: ['iptables', '-t', 'nat', '-S', 'X'] }
const ended = (code: number, stderr = '') => ({ code, stdout: 'listing', stderr })

/** What real ones have said. */
const NONE: readonly (readonly [Command, number, string])[] = [
  [NFT, 1, 'Error: No such file or directory\nlist table ip x\n              ^'],
  [IPTABLES, 1, 'iptables: No chain/target/match by that name.'],
  [IPTABLES, 1, "iptables v1.8.9 (nf_tables): chain `X' in table `nat' is incompatible, use 'nft' tool."],
]
const ABSENT: readonly (readonly [Command, number, string])[] = [
  [NFT, NOT_FOUND, 'nft: not found'],
  [NFT, NOT_EXECUTABLE, 'nft: not executable'],
  [NFT, 1, 'internal:0:0-0: Error: cache initialization failed: Invalid argument'],
  [NFT, 1, 'Unable to initialize Netlink socket: Protocol not supported'],
  [IPTABLES, 3, "iptables v1.8.9 (legacy): can't initialize iptables table `nat': Table does not exist"],
  [IPTABLES, 3, "ip6tables v1.8.9 (legacy): can't initialize ip6tables table `nat': Address family not supported"],
  [IPTABLES, 4, 'iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Invalid argument'],
]
const FAILED: readonly (readonly [Command, number, string])[] = [
  [NFT, 1, 'internal:0:0-0: Error: Could not receive tables from kernel: Operation not permitted'],
  [NFT, 1, ''],
  [IPTABLES, 4, 'Another app is currently holding the xtables lock. Perhaps you want to use the -w option?'],
  [IPTABLES, 2, "iptables v1.8.9: unknown option '--x'"],
]

describe('what a tool lists', () => {
  test('is what it printed', () => {
    expect(listedBy(NFT, ended(0))).toBe('listing')
  })

  test.each([...NONE, ...ABSENT])('of %j is nothing where it ends with %i: %s', (command, code, stderr) => {
    expect(listedBy(command, ended(code, stderr))).toBeUndefined()
  })

  test.each(FAILED)('of %j is not known where it ends with %i: %s', (command, code, stderr) => {
    expect(() => listedBy(command, ended(code, stderr))).toThrow(`exited with ${code}`)
  })
})

test.each(ABSENT)('%j, %i: a node has none of it that says %s', (command, code, stderr) => {
  expect(failureOf(command, ended(code, stderr))).toBeInstanceOf(BackendAbsent)
})

test.each([...NONE, ...FAILED])('%j, %i: a node has it that says %s', (command, code, stderr) => {
  expect(failureOf(command, ended(code, stderr))).not.toBeInstanceOf(BackendAbsent)
})
