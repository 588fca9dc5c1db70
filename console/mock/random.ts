/** A small seeded generator (mulberry32): the mock's world is the same at every start. */
export function seeded(seed: number) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n: number) => Math.floor(next() * n);
  const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
  const hex = (length: number) => Array.from({ length }, () => below(16).toString(16)).join("");
  const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
  const id = (prefix: string) => `${prefix}_01k${Array.from({ length: 23 }, () => ALPHABET[below(32)]).join("")}`;
  return { next, below, pick, hex, id };
}
