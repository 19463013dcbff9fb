/** The seed of a run's random tests. */

/**
 * SPOOR_SEED, or another each time; tests print it. CI gives one, so that a change is judged by
 * what it changes, and every other run tries something new.
 */
export function runSeed(): number {
  const given = process.env["SPOOR_SEED"];
  return given === undefined ? Math.floor(Math.random() * 2 ** 30) : Number(given);
}
