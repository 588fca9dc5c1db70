import type { FormDefinition, FormField } from "../api/models";
import { textOf } from "../lib/definition";
import { cx } from "./cx";

/** What a field asks for, in the words of its rules. */
export function rulesOf(field: FormField): string[] {
  const rules: string[] = [];
  if (field.min_length && field.max_length) rules.push(`${field.min_length}–${field.max_length} characters`);
  else if (field.max_length) rules.push(`at most ${field.max_length.toLocaleString("en-GB")} characters`);
  else if (field.min_length) rules.push(`at least ${field.min_length} characters`);
  if (field.pattern) rules.push(`matches ${field.pattern}`);
  return rules;
}

/** A field as it will look: a picture, not an input, so it takes no focus. */
export function FieldPreview({ field, definition }: { field: FormField; definition: FormDefinition }) {
  const rules = rulesOf(field);
  const box = "rounded-md border border-line-strong bg-raised";
  return (
    <div className="min-w-0">
      <p className={cx("flex flex-wrap items-baseline gap-x-2", field.type !== "checkbox" && "mb-1")}>
        {field.type === "checkbox" && <span className={cx(box, "inline-block size-3.5 translate-y-[2px] rounded-[3px]")} aria-hidden="true" />}
        <span className="font-medium">{textOf(definition, field.label) || field.key}</span>
        {field.required ? <span className="text-xs text-muted">required</span> : <span className="text-xs text-faint">optional</span>}
        <span className="mono ml-auto text-xs text-faint">{field.key}</span>
      </p>
      {field.type === "choice" ? (
        <ul className="flex flex-wrap gap-1.5">
          {(field.choices ?? []).map((choice) => (
            <li key={choice.id} className={cx(box, "px-2 py-0.5 text-xs")} title={choice.key}>
              {textOf(definition, choice.label) || choice.key}
            </li>
          ))}
        </ul>
      ) : (
        field.type !== "checkbox" && (
          <div className={cx(box, "min-h-8 px-2.5 py-1 text-faint", field.type === "long_text" && "h-16")}>{field.type === "email" ? "name@example.com" : ""}</div>
        )
      )}
      {(field.help || rules.length > 0) && <p className="mt-1 text-xs break-words text-muted">{[textOf(definition, field.help), ...rules].filter(Boolean).join(" · ")}</p>}
    </div>
  );
}
