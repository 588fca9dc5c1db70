/** The items whose words begin with what was typed, best first: a name's start beats a word's start beats letters in order. */
export function rank<T>(typed: string, items: T[], textOf: (item: T) => string): T[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return items;
  return items
    .map((item, index) => ({ item, index, score: score(wanted, textOf(item).toLowerCase()) }))
    .filter((entry) => entry.score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map((entry) => entry.item);
}

function score(wanted: string, text: string): number {
  if (text.startsWith(wanted)) return 4;
  if (wanted.split(/\s+/).every((part) => text.split(/[\s-]+/).some((word) => word.startsWith(part)))) return 3;
  if (text.includes(wanted)) return 2;
  return inOrder(wanted.replace(/\s/g, ""), text) ? 1 : 0;
}

function inOrder(letters: string, text: string): boolean {
  let at = 0;
  for (const letter of letters) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return letters.length > 1;
}
