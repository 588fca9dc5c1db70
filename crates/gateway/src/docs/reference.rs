//! The reference page: every operation of the document, in one page that works without JavaScript.

use super::{escape, prose, sample, shell};
use crate::version::Versions;
use serde_json::{Map, Value};
use std::{collections::BTreeMap, fmt::Write};

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
/// Properties are shown down to this depth; the sample shows the rest.
const DEPTH_MAX: usize = 3;

struct Operation<'d> {
    method: &'static str,
    path: &'d str,
    declared: &'d Value,
}

impl Operation<'_> {
    fn id(&self) -> &str {
        self.declared["operationId"].as_str().unwrap_or("")
    }

    fn summary(&self) -> &str {
        self.declared["summary"].as_str().unwrap_or("").trim_end_matches('.')
    }
}

pub fn page(document: &Value, versions: &Versions) -> String {
    let groups = groups(document);
    let mut nav = String::new();
    let mut main = String::new();
    for (tag, operations) in &groups {
        let _ = write!(nav, "<section data-group><h2>{}</h2><ul>", escape(tag));
        let _ = write!(main, "<section class=\"group\" data-group><h2 id=\"tag-{0}\">{0}</h2>", escape(tag));
        for operation in operations {
            let _ = write!(
                nav,
                "<li data-find=\"{find}\"><a href=\"#{id}\"><span class=\"verb {method}\">{method}</span>{summary}</a></li>",
                find = escape(&find_text(operation)),
                id = escape(operation.id()),
                method = operation.method,
                summary = escape(operation.summary()),
            );
            main.push_str(&article(document, operation));
        }
        nav.push_str("</ul></section>");
        main.push_str("</section>");
    }
    let title = document["info"]["title"].as_str().unwrap_or("API");
    let body = format!(
        "<div class=\"layout\"><nav aria-label=\"Operations\"><a class=\"brand\" href=\"/docs\">{title}</a>\
         <input id=\"search\" type=\"search\" placeholder=\"Filter operations  /\" aria-label=\"Filter operations\" autocomplete=\"off\">\
         {nav}<p class=\"muted\" id=\"nothing\" hidden>Nothing matches.</p></nav><main>{intro}{main}</main></div>",
        title = escape(title),
        intro = intro(document, versions),
    );
    shell(&format!("{title} · API reference"), &body)
}

fn groups(document: &Value) -> BTreeMap<String, Vec<Operation<'_>>> {
    let mut groups: BTreeMap<String, Vec<Operation<'_>>> = BTreeMap::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            let Some(declared) = item.get(method) else { continue };
            let tag = declared["tags"][0].as_str().unwrap_or("other").to_owned();
            groups.entry(tag).or_default().push(Operation { method, path, declared });
        }
    }
    groups
}

fn find_text(operation: &Operation<'_>) -> String {
    format!("{} {} {} {}", operation.id(), operation.method, operation.path, operation.summary())
        .to_lowercase()
}

fn intro(document: &Value, versions: &Versions) -> String {
    let description = document["info"]["description"].as_str().map(prose).unwrap_or_default();
    let mut rows = String::new();
    for change in versions.changes().iter().rev() {
        let _ = write!(rows, "<li><code>{}</code> {}</li>", change.since, prose_inline(change.title));
    }
    let supported: Vec<String> = versions.supported().iter().map(|v| format!("<code>{v}</code>")).collect();
    format!(
        "<header class=\"intro\"><h1>API reference</h1>{description}\
         <p>Authenticate with <code>Authorization: Bearer</code> and an API key. Every answer carries <code>X-Request-Id</code>; \
         every refusal is a <a href=\"/docs/errors\">problem document</a>. The machine-readable contract is at \
         <a href=\"/openapi.json\">/openapi.json</a>.</p>\
         <h2>Versions</h2><p>Send <code>Plinth-Version</code>; without it the version pinned to the key holds, or the newest. \
         Supported: {supported}.</p><ul>{rows}</ul></header>",
        supported = supported.join(", "),
    )
}

fn prose_inline(text: &str) -> String {
    prose(text).trim_start_matches("<p>").trim_end_matches("</p>").to_owned()
}

fn article(document: &Value, operation: &Operation<'_>) -> String {
    let declared = operation.declared;
    let mut out = format!(
        "<article id=\"{id}\" data-find=\"{find}\"><h3><a href=\"#{id}\">{summary}</a></h3>\
         <p class=\"endpoint\"><span class=\"verb {method}\">{method}</span><code>{path}</code></p>",
        id = escape(operation.id()),
        find = escape(&find_text(operation)),
        summary = escape(operation.summary()),
        method = operation.method,
        path = escape(operation.path),
    );
    out.push_str(&declared["description"].as_str().map(prose).unwrap_or_default());
    out.push_str(&callers(declared));
    out.push_str(&parameters(document, declared));
    out.push_str(&request(document, operation));
    out.push_str(&responses(document, declared));
    out.push_str("</article>");
    out
}

/// Who may call, each with the scope it needs.
fn callers(declared: &Value) -> String {
    let mut out = String::from("<p class=\"callers\">");
    for requirement in declared["security"].as_array().into_iter().flatten().filter_map(Value::as_object) {
        if requirement.is_empty() {
            out.push_str("<span class=\"caller\">no credential</span>");
        }
        for (scheme, scopes) in requirement {
            let scope = scopes[0]
                .as_str()
                .map(|scope| format!(" <code>{}</code>", escape(scope)))
                .unwrap_or_default();
            let _ = write!(out, "<span class=\"caller\">{}{scope}</span>", escape(&scheme.replace('_', " ")));
        }
    }
    let extension = &declared["x-plinth"];
    if extension["idempotency"] == "required" {
        out.push_str("<span class=\"caller warn\">Idempotency-Key required</span>");
    }
    if let Some(cost) = extension["cost"].as_u64().filter(|cost| *cost > 1) {
        let _ = write!(out, "<span class=\"caller\">costs {cost}</span>");
    }
    out.push_str("</p>");
    out
}

fn parameters(document: &Value, declared: &Value) -> String {
    let mut rows = String::new();
    for parameter in declared["parameters"].as_array().into_iter().flatten() {
        let parameter = sample::resolve(document, parameter);
        let _ = write!(
            rows,
            "<tr><td><code>{name}</code>{required}</td><td>{place}</td><td>{kind}</td><td>{text}</td></tr>",
            name = escape(parameter["name"].as_str().unwrap_or("")),
            required =
                if parameter["required"] == true { " <span class=\"required\">required</span>" } else { "" },
            place = escape(parameter["in"].as_str().unwrap_or("")),
            kind = escape(&kind(document, &parameter["schema"])),
            text = prose(parameter["description"].as_str().unwrap_or("")),
        );
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<h4>Parameters</h4><div class=\"scroll\" tabindex=\"0\"><table><tbody>{rows}</tbody></table></div>"
    )
}

fn request(document: &Value, operation: &Operation<'_>) -> String {
    let content = &operation.declared["requestBody"]["content"];
    let Some((media_type, media)) = content.as_object().and_then(|map| map.iter().next()) else {
        return String::new();
    };
    let body = example(document, media);
    let curl = format!(
        "curl -X {method} \"$PLINTH_URL{path}\" \\\n  -H \"Authorization: Bearer $PLINTH_KEY\" \\\n  -H \"Content-Type: {media_type}\" \\\n  -d '{body}'",
        method = operation.method.to_uppercase(),
        path = operation.path,
        body = body.replace('\'', "'\\''"),
    );
    format!(
        "<h4>Request body</h4>{}<details><summary>Example</summary><pre><code>{}</code></pre></details>",
        properties(document, &media["schema"], 0),
        escape(&curl),
    )
}

fn responses(document: &Value, declared: &Value) -> String {
    let empty = Map::new();
    let (mut successes, mut failures) = (String::new(), Vec::new());
    for (status, response) in declared["responses"].as_object().unwrap_or(&empty) {
        let response = sample::resolve(document, response);
        let text = response["description"].as_str().unwrap_or("");
        if !status.starts_with('2') && !status.starts_with('3') {
            failures.push(format!(
                "<span class=\"status s{}\" title=\"{}\">{}</span>",
                escape(&status[..1]),
                escape(text),
                escape(status)
            ));
            continue;
        }
        let _ = write!(
            successes,
            "<h4><span class=\"status s{class}\">{status}</span> {text}</h4>",
            class = escape(&status[..1]),
            status = escape(status),
            text = escape(text),
        );
        for (media_type, media) in response["content"].as_object().into_iter().flatten() {
            successes.push_str(&properties(document, &media["schema"], 0));
            if media_type.contains("json") {
                let body = escape(&example(document, media));
                let _ = write!(
                    successes,
                    "<details><summary>Example</summary><pre><code>{body}</code></pre></details>"
                );
            } else {
                let _ = write!(successes, "<p><code>{}</code></p>", escape(media_type));
            }
        }
    }
    if !failures.is_empty() {
        let _ = write!(
            successes,
            "<p class=\"failures\"><a href=\"/docs/errors\">Errors</a> {}</p>",
            failures.join(" ")
        );
    }
    successes
}

fn example(document: &Value, media: &Value) -> String {
    let given = media.get("example").cloned().or_else(|| {
        let named = media["examples"].as_object()?.values().next()?;
        named.get("value").cloned()
    });
    let value = given.unwrap_or_else(|| sample::sample(document, &media["schema"]));
    serde_json::to_string_pretty(&value).unwrap_or_default()
}

/// Type of a schema in a few words.
fn kind(document: &Value, schema: &Value) -> String {
    let telling = sample::variant(document, schema);
    let mut text = match sample::type_of(telling) {
        "array" => format!("list of {}", kind(document, &telling["items"])),
        "" => "any".to_owned(),
        name => name.to_owned(),
    };
    if let Some(format) = telling["format"].as_str() {
        let _ = write!(text, " ({format})");
    }
    if let Some(choices) = telling["enum"].as_array() {
        let choices: Vec<&str> = choices.iter().filter_map(Value::as_str).collect();
        let _ = write!(text, ": {}", choices.join(", "));
    }
    for (limit, word) in
        [("minimum", "≥"), ("maximum", "≤"), ("minLength", "length ≥"), ("maxLength", "length ≤")]
    {
        if let Some(bound) = telling.get(limit).filter(|bound| bound.is_number()) {
            let _ = write!(text, ", {word} {bound}");
        }
    }
    text
}

/// The members of an object, nested ones indented below theirs.
fn properties(document: &Value, schema: &Value, depth: usize) -> String {
    let telling = sample::variant(document, schema);
    if sample::type_of(telling) == "array" && depth < DEPTH_MAX {
        return properties(document, &telling["items"], depth + 1);
    }
    let mut rows = String::new();
    let required: Vec<&str> =
        telling["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, part) in telling["properties"].as_object().into_iter().flatten() {
        let inner = sample::variant(document, part);
        let text = part["description"].as_str().or(inner["description"].as_str()).unwrap_or("");
        let nested = if depth < DEPTH_MAX { properties(document, part, depth + 1) } else { String::new() };
        let _ = write!(
            rows,
            "<tr><td><code>{name}</code>{mark}</td><td>{kind}</td><td>{text}{nested}</td></tr>",
            name = escape(name),
            mark = if required.contains(&name.as_str()) {
                ""
            } else {
                " <span class=\"optional\">optional</span>"
            },
            kind = escape(&kind(document, part)),
            text = prose(text),
        );
    }
    if rows.is_empty() {
        return rows;
    }
    let table = format!("<div class=\"scroll\" tabindex=\"0\"><table><tbody>{rows}</tbody></table></div>");
    if depth == 0 { table } else { format!("<details><summary>Members</summary>{table}</details>") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_operation_is_shown_with_its_path_scope_and_members() {
        let document = json!({
            "info": {"title": "Plinth <API>", "description": "A `code` word."},
            "paths": {"/v1/things/{id}": {"post": {
                "operationId": "create_thing", "summary": "Create a thing.", "tags": ["things"],
                "security": [{"secret_key": ["things:things:write"]}, {}],
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}, "description": "Its <id>."}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}},
                "responses": {"201": {"description": "Made."}, "409": {"description": "Taken."}},
                "x-plinth": {"idempotency": "required"},
            }}},
            "components": {"schemas": {"Thing": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "maxLength": 80, "example": "it's"},
                "part": {"type": "object", "properties": {"deep": {"type": "integer"}}},
            }}}},
        });
        let html = page(&document, &Versions::default());
        for part in [
            "Plinth &lt;API&gt;",
            "<code>code</code>",
            "id=\"create_thing\"",
            "things:things:write",
            "no credential",
            "Idempotency-Key required",
            "Its &lt;id&gt;.",
            "length ≤ 80",
            "<code>deep</code>",
            "it&#39;\\&#39;&#39;s",
            "s4\" title=\"Taken.\"",
        ] {
            assert!(html.contains(part), "{part} is not in the page");
        }
        assert!(
            !html.contains("<script>") && !html.contains("style="),
            "nothing inline that the policy would refuse"
        );
    }
}
