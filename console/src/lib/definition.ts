/**
 * Form definitions, read and changed.
 *
 * A definition holds every text in several languages, and pages of fields. The console shows and edits the default language, and keeps
 * whatever else is in it: another language, another page, a setting this console has not heard of.
 */
import type { Choice, FieldKind, FormDefinition, FormField, Translations } from "../api/models";

export const FIELD_KINDS: { kind: FieldKind; name: string; hint: string }[] = [
  { kind: "text", name: "Text", hint: "One line" },
  { kind: "long_text", name: "Long text", hint: "Several lines" },
  { kind: "email", name: "E-mail", hint: "Checked address" },
  { kind: "choice", name: "Choice", hint: "One of a list" },
  { kind: "checkbox", name: "Checkbox", hint: "Yes or no" },
];

const KEY_LENGTH_MAX = 40;

/** The language that is shown and edited. */
export function localeOf(definition: FormDefinition): string {
  return definition.default_locale || "en";
}

/** A text in the default language. */
export function textOf(definition: FormDefinition, texts: Translations | undefined): string {
  return texts?.[localeOf(definition)] ?? "";
}

/** The same texts with this one in the default language; an empty one is taken out. */
export function withText(definition: FormDefinition, texts: Translations | undefined, text: string): Translations {
  const { [localeOf(definition)]: _, ...others } = texts ?? {};
  return text === "" ? others : { ...others, [localeOf(definition)]: text };
}

/** All fields in the order they are asked. */
export function fieldsOf(definition: FormDefinition): FormField[] {
  return definition.pages.flatMap((page) => page.items);
}

/** A place of a field: the page, and the index in it. Also what a problem's pointer names. */
export function placeOf(definition: FormDefinition, index: number): { page: number; item: number } | null {
  let left = index;
  for (const [page, { items }] of definition.pages.entries()) {
    if (left < items.length) return { page, item: left };
    left -= items.length;
  }
  return null;
}

/** A name from a label: lower case, words joined by underscores, not one of `taken`. */
export function keyFrom(label: string, taken: string[], fallback = "field"): string {
  const base =
    label
      .normalize("NFKD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^(_|\d)+|_+$/g, "")
      .slice(0, KEY_LENGTH_MAX) || fallback;
  if (!taken.includes(base)) return base;
  for (let n = 2; ; n += 1) {
    const candidate = `${base}_${n}`;
    if (!taken.includes(candidate)) return candidate;
  }
}

export function addField(definition: FormDefinition, kind: FieldKind): FormDefinition {
  const name = FIELD_KINDS.find((k) => k.kind === kind)?.name ?? "Field";
  const fields = fieldsOf(definition);
  const key = keyFrom(name, fields.map((f) => f.key));
  const field: FormField = {
    // Answers are stored under the id, so it is its own and never changes.
    id: keyFrom(`fl_${key}`, fields.map((f) => f.id)),
    key,
    type: kind,
    label: withText(definition, undefined, name),
    required: false,
    ...(kind === "choice" ? { choices: choicesFromText(definition, "First\nSecond", []) } : {}),
  };
  const pages = definition.pages.length > 0 ? definition.pages : [{ id: "pg_1", items: [] }];
  return { ...definition, pages: pages.map((page, i) => (i === pages.length - 1 ? { ...page, items: [...page.items, field] } : page)) };
}

export function changeField(definition: FormDefinition, index: number, change: Partial<FormField>): FormDefinition {
  return mapItems(definition, index, (items, at) => items.map((field, i) => (i === at ? cleaned({ ...field, ...change }) : field)));
}

export function removeField(definition: FormDefinition, index: number): FormDefinition {
  return mapItems(definition, index, (items, at) => items.filter((_, i) => i !== at));
}

/** Moves a field by one place; past the end of its page it goes to the next, and at either end of the form it stays. */
export function moveField(definition: FormDefinition, index: number, by: 1 | -1): FormDefinition {
  const from = placeOf(definition, index);
  const to = placeOf(definition, index + by);
  const field = fieldsOf(definition)[index];
  if (!from || !to || !field || index + by < 0) return definition;
  const without = removeField(definition, index);
  const at = from.page === to.page ? to.item : by === 1 ? 0 : (without.pages[to.page]?.items.length ?? 0);
  return { ...without, pages: without.pages.map((page, i) => (i === to.page ? { ...page, items: page.items.toSpliced(at, 0, field) } : page)) };
}

function mapItems(definition: FormDefinition, index: number, change: (items: FormField[], at: number) => FormField[]): FormDefinition {
  const place = placeOf(definition, index);
  if (!place) return definition;
  return { ...definition, pages: definition.pages.map((page, i) => (i === place.page ? { ...page, items: change(page.items, place.item) } : page)) };
}

/** What does not belong to a field's kind is left out: the server refuses it. */
function cleaned(field: FormField): FormField {
  const { min_length, max_length, pattern, pattern_message, choices, ...rest } = field;
  const textual = field.type === "text" || field.type === "long_text";
  return {
    ...rest,
    ...((textual || field.type === "email") && min_length ? { min_length } : {}),
    ...((textual || field.type === "email") && max_length ? { max_length } : {}),
    ...(field.type === "text" && pattern ? { pattern } : {}),
    ...(field.type === "text" && pattern && pattern_message ? { pattern_message } : {}),
    ...(field.type === "choice" && choices ? { choices } : {}),
  };
}

/** Choices are edited as lines: `key | Label`, or just the label. */
export function choicesToText(definition: FormDefinition, choices: Choice[] | undefined): string {
  return (choices ?? [])
    .map((choice) => {
      const label = textOf(definition, choice.label) || choice.key;
      return keyFrom(label, [], "choice") === choice.key ? label : `${choice.key} | ${label}`;
    })
    .join("\n");
}

/** Reads the lines back. A choice whose key was there before keeps its id, and with it the answers given so far. */
export function choicesFromText(definition: FormDefinition, text: string, before: Choice[]): Choice[] {
  const keys: string[] = [];
  const ids: string[] = [];
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const cut = line.indexOf("|");
      const label = (cut < 0 ? line : line.slice(cut + 1)).trim();
      const key = (cut < 0 ? "" : line.slice(0, cut).trim()) || keyFrom(label, keys, "choice");
      const known = before.find((choice) => choice.key === key && !ids.includes(choice.id));
      const id = known?.id ?? keyFrom(`ch_${key}`, [...ids, ...before.map((choice) => choice.id)]);
      keys.push(key);
      ids.push(id);
      return { id, key, label: withText(definition, known?.label, label || key) };
    });
}
