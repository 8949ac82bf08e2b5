// What the tables of this folder are made of.

/** Shows what one setting does: fails where it does nothing. */
export type Effect = () => Promise<void>

/** By flag, and by field where there is no flag. */
export type Effects = Readonly<Record<string, Effect>>
