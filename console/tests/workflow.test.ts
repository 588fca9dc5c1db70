import { describe, expect, it } from "vitest";
import { audienceText, conditionText, definitionText, lineOf, parseDefinition, placeOf, stepsText, TEMPLATES, templateParts } from "../src/lib/workflow";

const first = TEMPLATES[0]?.definition ?? { trigger: { event: "a.b" }, steps: [] };

describe("a workflow in words", () => {
  it("names channels and recipients, and shows what it does not know as it stands", () => {
    expect(stepsText(first.steps)).toBe("In-app to all members, e-mail to all members");
    expect(audienceText({ members: "admins" })).toBe("owners and admins");
    expect(audienceText({ members: "viewers" } as never)).toBe('{"members":"viewers"}');
    expect(stepsText([])).toBe("");
  });
  it("reads conditions as paths and values", () => {
    expect(conditionText({ pointer: "/values/a~1b", equals: 3 })).toBe("values.a/b is 3");
    expect(conditionText({ pointer: "/form_key", equals: "contact" })).toBe('form_key is "contact"');
  });
  it("tells what is filled in from what stands as it is, and loses nothing", () => {
    const template = "Hi {{ data.name }},\n{% if x\n%}yes{% endif %}";
    expect(templateParts(template).filter((p) => p.filled).map((p) => p.text)).toEqual(["{{ data.name }}", "{% if x\n%}", "{% endif %}"]);
    expect(templateParts(template).map((p) => p.text).join("")).toBe(template);
  });
});

describe("the edited text", () => {
  it("comes back as it was written", () => {
    for (const { definition } of TEMPLATES) expect(parseDefinition(definitionText(definition)).definition).toEqual(definition);
  });
  it("is refused with a reason when its outline is wrong", () => {
    const faults = ["{", "[]", "null", '{"trigger": 1, "steps": []}', '{"trigger": {}}', '{"trigger": {}, "steps": [], "name": "x"}'].map((text) => parseDefinition(text).fault);
    expect(faults.every((fault) => fault !== undefined && fault.length > 10)).toBe(true);
    expect(faults[5]).toContain("“name”");
  });
  it("leads from a pointer to the value it means", () => {
    const text = definitionText(first);
    const at = (pointer: string) => {
      const { from, to } = placeOf(text, pointer);
      return JSON.parse(text.slice(from, to)) as unknown;
    };
    expect(at("/trigger/event")).toBe("forms.submission.completed");
    expect(at("/steps/1/id")).toBe("mail_team");
    expect(at("/steps/1/to")).toEqual({ members: "all" });
    expect(at("/steps/0")).toEqual(first.steps[0]);
    expect(at("/trigger/conditions/0/equals")).toBe("contact");
    expect(lineOf(text, placeOf(text, "/trigger/event").from)).toBe(3);
  });
  it("leads to the nearest value when the pointer means something missing", () => {
    const text = '{"steps": [{"a,b]": "x\\"}"}, {}], "trigger": {"event": "a.b"}}';
    const at = (pointer: string) => text.slice(placeOf(text, pointer).from, placeOf(text, pointer).to);
    expect(at("/steps/1/id")).toBe("{}");
    expect(at("/steps/0/a,b]")).toBe('"x\\"}"');
    expect(at("/trigger/event")).toBe('"a.b"');
    expect(at("/nothing")).toBe(text);
    expect(at("")).toBe(text);
  });
});
