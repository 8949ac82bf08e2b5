import type { Database } from '../database/database.ts'

// Networks whose addresses another program gives since, from the leases it found in its directory.

export function markHandedOver(database: Database, network: string, at: number): void {
  const sql = 'INSERT INTO handover (network, at) VALUES (?, ?) ON CONFLICT DO UPDATE SET at = excluded.at'
  database.run(sql, network, Math.round(at))
}

/** When it was, and no longer is; undefined where it was not. */
export function endHandover(database: Database, network: string): number | undefined {
  const at = database.get('SELECT at FROM handover WHERE network = ?', network)?.at
  if (typeof at !== 'number') return undefined
  database.run('DELETE FROM handover WHERE network = ?', network)
  return at
}
