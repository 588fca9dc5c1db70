/** The items whose words begin with what was typed, best first: a name's start beats a word's start beats letters in order. */
export function rank<T>(typed: string, items: T[], nameOf: (item: T) => string, alsoOf: (item: T) => string = () => ""): T[] {
  const wanted = typed.trim().toLowerCase();
  if (wanted === "") return items;
  return items
    .map((item, index) => ({ item, index, score: score(wanted, nameOf(item).toLowerCase(), alsoOf(item).toLowerCase()) }))
    .filter((entry) => entry.score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map((entry) => entry.item);
}

function score(wanted: string, name: string, also: string): number {
  if (name.startsWith(wanted)) return 4;
  if (startsWords(wanted, name)) return 3;
  if (startsWords(wanted, `${name} ${also}`)) return 2;
  return inOrder(wanted.replace(/\s/g, ""), name) ? 1 : 0;
}

function startsWords(wanted: string, text: string): boolean {
  const words = text.split(/[\s-]+/);
  return wanted.split(/\s+/).every((part) => words.some((word) => word.startsWith(part)));
}

function inOrder(letters: string, text: string): boolean {
  let at = 0;
  for (const letter of letters) {
    at = text.indexOf(letter, at) + 1;
    if (at === 0) return false;
  }
  return letters.length > 2;
}
