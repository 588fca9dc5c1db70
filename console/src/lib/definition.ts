import type { FieldKind, FormDefinition, FormField } from "../api/models";

export const FIELD_KINDS: { kind: FieldKind; name: string; hint: string }[] = [
  { kind: "text", name: "Text", hint: "One line" },
  { kind: "long_text", name: "Long text", hint: "Several lines" },
  { kind: "email", name: "E-mail", hint: "Checked address" },
  { kind: "choice", name: "Choice", hint: "One of a list" },
  { kind: "checkbox", name: "Checkbox", hint: "Yes or no" },
];

const KEY_LENGTH_MAX = 40;

/** A field key from its label: lower case, words joined by underscores, unique in the form. */
export function keyFrom(label: string, taken: string[]): string {
  const base =
    label
      .normalize("NFKD")
      .replace(/[\u0300-\u036f]/g, "")
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "_")
      .replace(/^(_|\d)+|_+$/g, "")
      .slice(0, KEY_LENGTH_MAX) || "field";
  if (!taken.includes(base)) return base;
  for (let n = 2; ; n += 1) {
    const candidate = `${base}_${n}`;
    if (!taken.includes(candidate)) return candidate;
  }
}

export function addField(definition: FormDefinition, kind: FieldKind): FormDefinition {
  const name = FIELD_KINDS.find((k) => k.kind === kind)?.name ?? "Field";
  const field: FormField = {
    key: keyFrom(name, definition.fields.map((f) => f.key)),
    kind,
    label: name,
    required: false,
    ...(kind === "choice" ? { options: [{ value: "first", label: "First" }] } : {}),
  };
  return { ...definition, fields: [...definition.fields, field] };
}

export function changeField(definition: FormDefinition, index: number, change: Partial<FormField>): FormDefinition {
  return { ...definition, fields: definition.fields.map((field, i) => (i === index ? { ...field, ...change } : field)) };
}

export function removeField(definition: FormDefinition, index: number): FormDefinition {
  return { ...definition, fields: definition.fields.filter((_, i) => i !== index) };
}

/** Moves a field by `by` places; at either end it stays. */
export function moveField(definition: FormDefinition, index: number, by: number): FormDefinition {
  const to = index + by;
  if (to < 0 || to >= definition.fields.length) return definition;
  const fields = [...definition.fields];
  const [field] = fields.splice(index, 1);
  if (field) fields.splice(to, 0, field);
  return { ...definition, fields };
}

/** Choices are edited as lines, `value | label` or just the label. */
export function optionsToText(options: FormField["options"]): string {
  return (options ?? []).map((o) => (o.value === o.label ? o.label : `${o.value} | ${o.label}`)).join("\n");
}

export function optionsFromText(text: string): { value: string; label: string }[] {
  const taken: string[] = [];
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const cut = line.indexOf("|");
      const label = (cut < 0 ? line : line.slice(cut + 1)).trim();
      const wanted = cut < 0 ? keyFrom(label, taken) : line.slice(0, cut).trim();
      const value = wanted === "" ? keyFrom(label, taken) : wanted;
      taken.push(value);
      return { value, label: label === "" ? value : label };
    });
}
