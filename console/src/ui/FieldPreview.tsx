import type { FormField } from "../api/models";
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
export function FieldPreview({ field }: { field: FormField }) {
  const rules = rulesOf(field);
  const box = "rounded-md border border-line-strong bg-raised";
  return (
    <div className="min-w-0">
      <p className={cx("flex flex-wrap items-baseline gap-x-2", field.kind !== "checkbox" && "mb-1")}>
        {field.kind === "checkbox" && <span className={cx(box, "inline-block size-3.5 translate-y-[2px] rounded-[3px]")} aria-hidden="true" />}
        <span className="font-medium">{field.label}</span>
        {field.required ? <span className="text-xs text-muted">required</span> : <span className="text-xs text-faint">optional</span>}
        <span className="mono ml-auto text-xs text-faint">{field.key}</span>
      </p>
      {field.kind === "choice" ? (
        <ul className="flex flex-wrap gap-1.5">
          {(field.options ?? []).map((option) => (
            <li key={option.value} className={cx(box, "px-2 py-0.5 text-xs")} title={option.value}>
              {option.label}
            </li>
          ))}
        </ul>
      ) : (
        field.kind !== "checkbox" && (
          <div className={cx(box, "px-2.5 py-1 text-faint", field.kind === "long_text" && "h-16")}>{field.kind === "email" ? "name@example.com" : " "}</div>
        )
      )}
      {(field.help || rules.length > 0) && <p className="mt-1 text-xs break-words text-muted">{[field.help, ...rules].filter(Boolean).join(" · ")}</p>}
    </div>
  );
}
