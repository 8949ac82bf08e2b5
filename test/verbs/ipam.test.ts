import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { systemClock } from '#system/clock.ts'
import { holder, leaseRequest, SMALL, SMALL6 } from '../support/leases.ts'

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

let folder: string
let database: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ipam-'))
  database = join(folder, 'state', 'ipam.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

function ipam(...words: readonly string[]) {
  const argv = [MAIN, 'ipam', ...words, `--database=${database}`]
  const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

function open(): SqliteLeaseBook {
  return SqliteLeaseBook.open({ path: database, clock: systemClock, boot: 'b' })
}

async function withLeases(): Promise<void> {
  const book = open()
  await book.take(leaseRequest('a', { pod: 'default/blue', sets: [SMALL, SMALL6] }))
  await book.take(leaseRequest('b', { pod: 'default/green', cooldownMs: 3_600_000 }))
  await book.release(holder('b'), 'DEL')
  book.close()
}

describe('ipam ls', () => {
  test('prints who has which address, without a daemon and beside one', async () => {
    await withLeases()
    const daemon = open()
    const { status, stdout, stderr } = ipam('ls')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout.split('\n').map(line => line.replaceAll(/ {3,}/g, ' | '))).toEqual([
      '# mynet (10.9.0.0/29): 2 assigned, 1 cooling down, 1 reserved, 3 free, 1 outside of its ranges',
      'IP | STATUS | POD',
      '10.9.0.1 | RESERVED | <gateway>',
      '10.9.0.2 | ASSIGNED | default/blue',
      expect.stringMatching(/^10\.9\.0\.3 \| COOLDOWN \((1h0m0s|59m\d+s)\) \| default\/green$/),
      '10.9.0.4 | FREE | <none>',
      '10.9.0.5 | FREE | <none>',
      '10.9.0.6 | FREE | <none>',
      'fd00:9::2 | ASSIGNED | default/blue <outside of the ranges>',
      '',
    ])
    daemon.close()
  })

  test('says so in one line where there is no database yet, and makes none', () => {
    expect(ipam('ls')).toEqual({
      ...{ status: 1, stdout: '' },
      stderr: `Error: there is no lease database at ${database}: no plugin of Switchyard has given an address on this node yet (--database names another one)\n`,
    })
    expect(readdirSync(folder)).toEqual([])
  })

  test('shows a damaged database as such, with what to do', async () => {
    await withLeases()
    writeFileSync(database, 'x'.repeat(4096))
    const { status, stdout, stderr } = ipam('ls')
    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toMatch(
      /^Error: the lease database \S+ is damaged: file is not a database; no address is given [^\n]+ remove [^\n]+\n$/,
    )
  })

  test.each([
    [['list'], 'Error: ipam: "list" is no command; did you mean ls?\n'],
    [['gcc'], 'Error: ipam: "gcc" is no command; did you mean gc?\n'],
    [['gc', 'x'], 'Error: ipam gc stands alone, got "x"\n'],
    [['ls', 'x'], 'Error: ipam ls stands alone, got "x"\n'],
    [['import'], "Error: ipam import needs a DIR: host-local's dataDir, such as /var/lib/cni/networks\n"],
    [['ls', '-o', 'toml'], 'Error: --output: invalid value "toml": must be wide, json or yaml\n'],
    [
      ['ls', '--network=yournet'],
      'Error: --network: no network "yournet" has given an address on this node; those that have: mynet\n',
    ],
    [['import', '/nowhere'], 'Error: ipam import "/nowhere": /nowhere: there is no such directory (ENOENT)\n'],
  ])('refuses %j with one line', async (words, line) => {
    await withLeases()
    expect(ipam(...words)).toEqual({ status: 1, stdout: '', stderr: line })
  })
})

describe('ipam gc and check', () => {
  test('say of each lease that no witness names why, and change nothing unless asked to', async () => {
    const hourAgo = { ...systemClock, now: () => systemClock.now() - 3_600_000 }
    const book = SqliteLeaseBook.open({ path: database, clock: hourAgo, boot: 'earlier' })
    const gone = { netns: join(folder, 'no-such-namespace'), namespaceId: '4:1', pod: 'default/blue' }
    await book.take(leaseRequest('a', { ...gone, sets: [SMALL, SMALL6] }))
    book.close()
    // Where this machine has results of a runtime, they are asked, too.
    const lines = (text: string) =>
      text
        .replaceAll(" and the runtime's results", '')
        .split('\n')
        .map(line => line.replaceAll(/ {3,}/g, ' | '))
    const why = 'not in use by its network namespace, and of an earlier start of this machine'
    const table = [
      'IP | POD | VERDICT | WHY',
      `10.9.0.2 | default/blue | LEAKED | ${why}`,
      `fd00:9::2 | default/blue | LEAKED | ${why}`,
    ]
    const summary = '1 attachment: 0 in use, 1 leaked'
    const checked = ipam('check')
    expect([checked.status, checked.stderr]).toEqual([1, ''])
    expect(lines(checked.stdout)).toEqual([...table, summary, ''])
    const printed = ipam('gc')
    expect([printed.status, printed.stderr]).toEqual([0, ''])
    expect(lines(printed.stdout)).toEqual([
      ...table,
      'Nothing was changed: --free takes back what is LEAKED.',
      ...[summary, ''],
    ])
    expect(ipam('ls').stdout).toContain('2 assigned')
  })

  test('say that nothing could be looked at, check with another status than where something is wrong', async () => {
    const absent = `Error: there is no lease database at ${database}: no plugin of Switchyard has given an address on this node yet (--database names another one)\n`
    expect(ipam('gc')).toEqual({ status: 1, stdout: '', stderr: absent })
    expect(ipam('check')).toEqual({ status: 2, stdout: '', stderr: absent })
    await withLeases()
    writeFileSync(database, 'x'.repeat(4096))
    expect(ipam('check')).toMatchObject({ status: 2, stdout: '', stderr: expect.stringContaining('is damaged') })
  })

  test('find what is wrong inside of the database', async () => {
    await withLeases()
    const sqlite = new DatabaseSync(database)
    sqlite.exec("DELETE FROM run WHERE first LIKE '4%'")
    sqlite.close()
    expect(ipam('check')).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(/^the lease database \S+ is damaged: .* runs of /),
    })
  })
})

describe("host-local's directory", () => {
  test('is imported and exported, with what became of each network', () => {
    const dataDir = join(folder, 'networks')
    mkdirSync(join(dataDir, 'mynet'), { recursive: true })
    const put = (name: string, text: string) => writeFileSync(join(dataDir, 'mynet', name), text)
    put('10.9.0.2', 'a\r\neth0')
    put('last_reserved_ip.0', '10.9.0.2')
    expect(ipam('import', dataDir)).toEqual({
      ...{ status: 0, stderr: '' },
      stdout: 'mynet: 1 address imported, 0 known already, 0 held by another container here\n',
    })
    put('10.9.0.2', 'other\r\neth0')
    put('10.9.0.3', '')
    expect(ipam('import', dataDir)).toEqual({
      ...{ status: 1, stderr: '' },
      stdout: [
        'mynet: 0 addresses imported, 0 known already, 1 held by another container here',
        '  10.9.0.2: the directory says container other, the database says a of network mynet; the database stays as it is',
        '  10.9.0.3: no container is in it, so no DEL would ever free it',
        '',
      ].join('\n'),
    })
    expect(ipam('export', dataDir)).toEqual({
      ...{ status: 0, stderr: '' },
      stdout: 'mynet: 1 file written, 1 of addresses that are free removed\n',
    })
    // Where host-local never ran, its directory is made as host-local makes it.
    expect(ipam('export', join(folder, 'new/networks')).stdout).toContain('mynet: 2 files written')
    expect(readFileSync(join(folder, 'new/networks/mynet/10.9.0.2'), 'utf8')).toBe('a\r\neth0')
    expect(ipam('next').stdout).toBe(
      'No ranges are known on this node yet: those of a network are with its first ADD.\n',
    )
    expect(ipam('import', join(dataDir, 'mynet')).stderr).toBe(
      `Error: ${JSON.stringify(join(dataDir, 'mynet'))} is the directory of one network; the one above it is wanted\n`,
    )
  })
})
