//! The schemas in this folder, and as much of JSON Schema as they use.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// What is looked at, and what only describes.
const KEYWORDS: [&str; 14] = [
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "const",
    "description",
    "enum",
    "items",
    "maximum",
    "minimum",
    "properties",
    "required",
    "title",
    "type",
];

/// Holds a document to the schema with that name.
pub(crate) fn holds(name: &str, document: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema");
    let text = fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let schema: Value = serde_json::from_str(&text).unwrap();
    check(document, &schema, &schema, name);
}

#[test]
fn a_document_that_is_not_by_the_schema_is_found() {
    let good: Value = serde_json::from_str(include_str!("../screens/show.json")).unwrap();
    holds("show", &good);
    let bad = |change: fn(&mut Value)| {
        let mut document = good.clone();
        change(&mut document);
        assert!(std::panic::catch_unwind(|| holds("show", &document)).is_err());
    };
    bad(|it| it["version"] = 2.into());
    bad(|it| it["more"] = 1.into());
    bad(|it| it["interfaces"][0]["peers"][0]["state"] = "away".into());
    bad(|it| it["interfaces"][0]["mtu"] = "1420".into());
    bad(|it| drop(it["interfaces"][0].as_object_mut().unwrap().remove("dns")));
}

fn check(value: &Value, schema: &Value, root: &Value, at: &str) {
    for keyword in schema.as_object().into_iter().flat_map(|it| it.keys()) {
        assert!(
            KEYWORDS.contains(&keyword.as_str()),
            "{at}: {keyword} is not looked at"
        );
    }
    if let Some(name) = schema["$ref"].as_str() {
        let pointed = root.pointer(name.strip_prefix('#').unwrap()).unwrap();
        check(value, pointed, root, at);
    }
    if let Some(wanted) = schema.get("const") {
        assert_eq!(value, wanted, "{at}");
    }
    if let Some(wanted) = schema["enum"].as_array() {
        assert!(wanted.contains(value), "{at}: {value}");
    }
    let one = schema["type"].as_str().into_iter();
    let several = schema["type"].as_array().into_iter().flatten();
    let types: Vec<&str> = one.chain(several.filter_map(Value::as_str)).collect();
    let is_of_type = types.is_empty() || types.iter().any(|kind| is(value, kind));
    assert!(is_of_type, "{at}: {value}");
    if let (Some(minimum), Some(number)) = (schema["minimum"].as_u64(), value.as_u64()) {
        assert!(number >= minimum, "{at}: {number}");
    }
    if let (Some(maximum), Some(number)) = (schema["maximum"].as_u64(), value.as_u64()) {
        assert!(number <= maximum, "{at}: {number}");
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        check(item, &schema["items"], root, &format!("{at}[{index}]"));
    }
    let Some(object) = value.as_object() else {
        return;
    };
    for key in schema["required"].as_array().into_iter().flatten() {
        let key = key.as_str().unwrap();
        assert!(object.contains_key(key), "{at}.{key} is missing");
    }
    for (key, value) in object {
        match schema["properties"].get(key) {
            Some(property) => check(value, property, root, &format!("{at}.{key}")),
            None => assert_ne!(schema["additionalProperties"], false, "{at}.{key}"),
        }
    }
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "null" => value.is_null(),
        other => panic!("{other}: not known"),
    }
}
