import { Database } from '#ipam/leases/database/database.ts'
import { SqliteDhcpBook } from '#ipam/leases/dhcp/sqlite-dhcp-book.ts'
import { GrantBook } from '#ipam/leases/grants/grant-book.ts'
import { SqliteLeakBook } from '#ipam/leases/leaks/sqlite-leak-book.ts'
import { SqliteRuleBook } from '#ipam/leases/rules/sqlite-rule-book.ts'
import { LEASES_PATH, SqliteLeaseBook } from '#ipam/leases/sqlite-lease-book.ts'
import { hostExecutables } from '#system/executables.ts'
import { packetLinks } from '#system/packets/packet-socket.ts'
import { hostFiles } from '#system/plugin-files.ts'
import type { Clock, Kernel } from '#system/ports.ts'
import type { PluginMachine } from '../answer.ts'
import { type ChosenParts, chosenIptables } from '../network/chosen-iptables.ts'
import { connectionsOf, forgetting } from '../network/connections.ts'
import { joinedRules } from '../network/joined-rules.ts'
import { networksOf } from '../network/networks.ts'
import { bridge } from '../plugins/bridge/bridge.ts'
import { dhcp } from '../plugins/dhcp/dhcp.ts'
import { hostLocal } from '../plugins/host-local/host-local.ts'
import { loopback } from '../plugins/loopback/loopback.ts'
import type { CniPlugin } from '../plugins/plugin.ts'
import { portmap } from '../plugins/portmap/portmap.ts'
import { askingIptables, nodeRuleset } from './node-ruleset.ts'

// This node as plugins see it: the same for the daemon and for the process that works without it.

export const PLUGINS: readonly CniPlugin[] = [bridge, hostLocal, loopback, portmap, dhcp]

export interface NodeMachine extends PluginMachine {
  readonly files: typeof hostFiles
  /** The one book of this process, opened when it is first needed. Fails with LeaseStoreFailed. */
  leases(): Promise<SqliteLeaseBook>
  /** Of the same database. */
  leaks(): Promise<SqliteLeakBook>
  grants(): Promise<GrantBook>
  rules(): Promise<SqliteRuleBook>
  /** See NodeRuleset. */
  generation(): number | undefined
  dhcpLeases(): Promise<SqliteDhcpBook>
  /** Resolves when nothing goes on that no caller waits for. */
  idle(): Promise<void>
  close(): void
}

export interface NodeMachineParts {
  readonly kernel: Kernel
  readonly clock: Clock
  /** Where the leases are, if not where they are on every node. */
  readonly database?: string
  /** What became of work that no caller waits for, where it failed. */
  readonly failed?: (error: Error) => void
  /** Calls that are under way, so that those of one moment share a transaction. */
  readonly expected?: () => number
  /** Which iptables this host uses, once that matters. */
  readonly chosen?: ChosenParts['chosen']
  /** See PluginParts. */
  readonly stopping?: AbortSignal
}

export function nodeMachine(parts: NodeMachineParts): NodeMachine {
  const { kernel, clock, database = LEASES_PATH, failed, expected = () => 0, chosen, stopping } = parts
  let book: SqliteLeaseBook | undefined
  let leaks: SqliteLeakBook | undefined
  let grants: GrantBook | undefined
  let rules: SqliteRuleBook | undefined
  let dhcpBook: SqliteDhcpBook | undefined
  let connection: Database | undefined
  const shared = (): Database => {
    connection ??= Database.open(database)
    return connection.share()
  }
  const networks = networksOf(kernel)
  const ruleset = nodeRuleset()
  const packets = packetLinks(networks)
  const { forget, idle } = forgetting(connectionsOf(kernel), failed ?? (() => {}))
  return {
    kernel: joinedRules(chosenIptables(kernel, { ask: askingIptables(kernel), ...(chosen && { chosen }) }), clock),
    clock,
    networks,
    ...(packets !== undefined && { packets }),
    ...(stopping !== undefined && { stopping }),
    forgetConnections: forget,
    idle,
    files: hostFiles,
    executables: hostExecutables(),
    ...ruleset.parts,
    generation: ruleset.generation,
    async leases() {
      const boot = await hostFiles.bootId()
      book ??= SqliteLeaseBook.on(shared(), { clock, boot, expected })
      return book
    },
    async leaks() {
      leaks ??= SqliteLeakBook.on(shared(), clock)
      return leaks
    },
    async grants() {
      grants ??= GrantBook.on(shared())
      return grants
    },
    async rules() {
      rules ??= SqliteRuleBook.on(shared())
      return rules
    },
    async dhcpLeases() {
      dhcpBook ??= SqliteDhcpBook.on(shared())
      return dhcpBook
    },
    close() {
      ruleset.close()
      for (const one of [book, leaks, grants, rules, dhcpBook, connection]) one?.close()
      connection = undefined
      book = undefined
      leaks = undefined
      grants = undefined
      rules = undefined
      dhcpBook = undefined
    },
  }
}
