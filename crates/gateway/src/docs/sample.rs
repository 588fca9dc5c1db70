//! A sample value for a schema: what the document gives as example, and something of the right shape elsewhere.

use serde_json::{Map, Value, json};

/// Deepest nesting of a sample.
const DEPTH_MAX: usize = 6;

/// Follows a reference into the document's components.
pub fn resolve<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let mut schema = schema;
    // A chain of references is short; a circle must end too.
    for _ in 0..8 {
        let Some(target) = schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) else { break };
        match document.pointer(target) {
            Some(found) => schema = found,
            None => break,
        }
    }
    schema
}

/// The variant of a union that says most: the first that is not `null`.
pub fn variant<'d>(document: &'d Value, schema: &'d Value) -> &'d Value {
    let schema = resolve(document, schema);
    for union in ["oneOf", "anyOf"] {
        if let Some(variants) = schema[union].as_array() {
            let telling = variants.iter().map(|v| resolve(document, v)).find(|v| v["type"] != "null");
            return telling.unwrap_or(schema);
        }
    }
    schema
}

/// A sample of `schema`.
pub fn sample(document: &Value, schema: &Value) -> Value {
    build(document, schema, 0)
}

fn build(document: &Value, schema: &Value, depth: usize) -> Value {
    let schema = resolve(document, schema);
    for given in ["example", "const", "default"] {
        if let Some(value) = schema.get(given).filter(|value| !value.is_null()) {
            return value.clone();
        }
    }
    if let Some(first) = schema["examples"].get(0).or_else(|| schema["enum"].get(0)) {
        return first.clone();
    }
    if depth >= DEPTH_MAX {
        return Value::Null;
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut whole = Map::new();
        for part in parts {
            if let Value::Object(map) = build(document, part, depth) {
                whole.extend(map);
            }
        }
        return Value::Object(whole);
    }
    let telling = variant(document, schema);
    if !std::ptr::eq(telling, schema) {
        return build(document, telling, depth + 1);
    }
    match type_of(schema) {
        "object" => object(document, schema, depth),
        "array" => Value::Array(vec![build(document, &schema["items"], depth + 1)]),
        "integer" => schema.get("minimum").cloned().unwrap_or(json!(1)),
        "number" => json!(1.5),
        "boolean" => json!(true),
        "string" => json!("text"),
        _ => Value::Null,
    }
}

fn object(document: &Value, schema: &Value, depth: usize) -> Value {
    let properties = schema["properties"].as_object();
    let built =
        properties.into_iter().flatten().map(|(name, part)| (name.clone(), build(document, part, depth + 1)));
    Value::Object(built.collect())
}

/// The type that a schema names; of a list such as `["string", "null"]` the first that is not `null`.
pub fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(name) => name,
        Value::Array(names) => {
            names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("")
        }
        _ if schema.get("properties").is_some() => "object",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_has_the_shape_of_its_schema() {
        let document = json!({"components": {"schemas": {
            "Thing": {"type": "object", "properties": {
                "id": {"type": "string", "example": "thg_1"},
                "kind": {"type": "string", "enum": ["a", "b"]},
                "next": {"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Thing"}]},
                "tags": {"type": ["array", "null"], "items": {"type": "string"}},
                "count": {"type": "integer", "minimum": 3},
            }},
        }}});
        let value = sample(&document, &json!({"$ref": "#/components/schemas/Thing"}));
        assert_eq!(value["id"], "thg_1");
        assert_eq!(value["kind"], "a");
        assert_eq!(value["tags"], json!(["text"]));
        assert_eq!(value["count"], 3);
        assert_eq!(value["next"]["next"]["id"], "thg_1", "a circle ends at a depth, not at once");
    }

    #[test]
    fn a_reference_to_itself_ends() {
        let document = json!({"a": {"$ref": "#/a"}});
        let _ = sample(&document, &document["a"]);
    }
}
