// The tables, by the versions they had: a database of an older version is brought forward step by step, in one transaction.

/** `SWYD`, in the header of the file: no other program's database is taken for ours. */
export const APPLICATION_ID = 0x53_57_59_44

const FIRST = `
  -- One address that is held, or cools down. What must never be is impossible, whichever process writes.
  CREATE TABLE lease (
    scope TEXT NOT NULL,      -- '' for all networks of the node together, or the one network that may overlap with others
    key TEXT NOT NULL,        -- the address, sortable: see sort-key.ts
    network TEXT NOT NULL,
    range_set INTEGER NOT NULL,
    container TEXT NOT NULL,
    ifname TEXT NOT NULL,     -- '' where host-local's directory named none
    pod TEXT,                 -- namespace/name
    uid TEXT,
    netns TEXT,               -- the path the runtime gave
    namespace_id TEXT,        -- device and inode of the namespace
    boot TEXT NOT NULL,       -- '' where unknown
    state TEXT NOT NULL CHECK (state IN ('assigned', 'cooldown')),
    at INTEGER NOT NULL,      -- milliseconds: when the state began
    until INTEGER CHECK ((until IS NULL) = (state = 'assigned')),
    cooldown INTEGER NOT NULL, -- milliseconds, for the time after the release
    PRIMARY KEY (scope, key),
    UNIQUE (network, key)
  ) STRICT, WITHOUT ROWID;
  CREATE UNIQUE INDEX lease_holder ON lease (network, container, ifname, range_set) WHERE state = 'assigned';
  CREATE INDEX lease_until ON lease (until, network) WHERE state = 'cooldown';

  -- The addresses of all leases as unbroken runs: the next free address is behind one, however many there are.
  CREATE TABLE run (
    scope TEXT NOT NULL,
    first TEXT NOT NULL,
    last TEXT NOT NULL CHECK (last >= first),
    PRIMARY KEY (scope, first)
  ) STRICT, WITHOUT ROWID;

  -- What each network gives addresses from, as its configuration was last seen, and where it stands.
  CREATE TABLE range (
    network TEXT NOT NULL,
    range_set INTEGER NOT NULL,
    scope TEXT NOT NULL,
    ranges TEXT NOT NULL,     -- JSON: subnet, start, end and gateway of each
    given TEXT,               -- the key of the address given last
    PRIMARY KEY (network, range_set)
  ) STRICT, WITHOUT ROWID;

  -- Leases that have ended.
  CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    network TEXT NOT NULL,
    range_set INTEGER NOT NULL,
    container TEXT NOT NULL,
    ifname TEXT NOT NULL,
    pod TEXT,
    uid TEXT,
    netns TEXT,
    namespace_id TEXT,
    boot TEXT NOT NULL,
    at INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    why TEXT NOT NULL
  ) STRICT;
  CREATE INDEX history_key ON history (key);
`

const SECOND = `
  -- What DHCP servers have granted: the record has all of it, as JSON.
  CREATE TABLE dhcp (
    network TEXT NOT NULL,
    container TEXT NOT NULL,
    ifname TEXT NOT NULL,
    due INTEGER NOT NULL,     -- milliseconds: when it is to be renewed
    record TEXT NOT NULL,
    PRIMARY KEY (network, container, ifname)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dhcp_due ON dhcp (due);
`

const THIRD = `
  -- Attachments that no witness named when they were last looked at: how often in a row, so that rounds count across restarts.
  CREATE TABLE sighting (
    network TEXT NOT NULL,
    container TEXT NOT NULL,
    ifname TEXT NOT NULL,
    at INTEGER NOT NULL,      -- of the youngest address it was seen with: with a later one it is another attachment
    count INTEGER NOT NULL,
    since INTEGER NOT NULL,   -- milliseconds: the first time
    last INTEGER NOT NULL,    -- the last time that counted
    verdict TEXT NOT NULL CHECK (verdict IN ('suspect', 'leaked')),
    why TEXT NOT NULL,
    PRIMARY KEY (network, container, ifname)
  ) STRICT, WITHOUT ROWID;

  -- Addresses that are in use in a pod which has no lease of them. They are not given to another.
  CREATE TABLE conflict (
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    network TEXT NOT NULL,
    container TEXT NOT NULL,
    ifname TEXT NOT NULL,
    pod TEXT,
    netns TEXT NOT NULL,
    namespace_id TEXT NOT NULL,
    boot TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (scope, key, container)
  ) STRICT, WITHOUT ROWID;
`

const FOURTH = `
  -- Networks whose leases were written to host-local's directory: until they are read from it again, that program gives addresses.
  CREATE TABLE handover (
    network TEXT NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL       -- milliseconds: of what was written
  ) STRICT, WITHOUT ROWID;
`

const FIFTH = `
  -- What this node may give addresses from, where networks name no ranges of their own: at most one row. It is what the API
  -- server said last, and what holds while it is away.
  CREATE TABLE granted (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL,     -- node or ring
    sets TEXT NOT NULL,       -- JSON, as range.ranges, for each set
    why TEXT NOT NULL,        -- why there is none; '' where there is
    record TEXT NOT NULL,     -- JSON, of the source alone
    seen TEXT NOT NULL,       -- the ring as it was last read, for those who ask
    seen_at INTEGER NOT NULL, -- milliseconds
    revision INTEGER NOT NULL -- grows with each change of the sets
  ) STRICT;
  ALTER TABLE range ADD COLUMN granted INTEGER NOT NULL DEFAULT 0; -- 1 where they are the node's
`

const SIXTH = `
  -- Rules that attachments have in the kernel, so that they come back where another program has flushed them.
  CREATE TABLE written (
    id INTEGER PRIMARY KEY,   -- the order in which they were written: of two mappings of one port, the newer has it
    network TEXT NOT NULL,
    container TEXT NOT NULL,
    ifname TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('masquerade', 'hostports')),
    netns TEXT NOT NULL,
    namespace_id TEXT NOT NULL,
    boot TEXT NOT NULL,
    wanted TEXT NOT NULL,     -- JSON, of the plugin alone
    UNIQUE (network, container, ifname, kind)
  ) STRICT;
`

/** The script at index N makes version N + 1 of version N. What is released is never changed, only followed by the next. */
export const MIGRATIONS: readonly string[] = [FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH]
