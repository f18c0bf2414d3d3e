//! As much of JSON Schema as our schemas use; what they do not use is an error.

use serde_json::{Map, Value};

/// Keywords that say nothing about whether a value fits.
const SILENT: [&str; 5] = ["$schema", "title", "description", "format", "default"];

/// What does not fit; none where all does.
pub fn complaint(document: &Value, schema: &Value, value: &Value) -> Option<String> {
    let Value::Object(schema) = schema else {
        return (schema != &Value::Bool(true)).then(|| format!("nothing fits {schema}"));
    };
    schema.iter().find_map(|(keyword, rule)| check(document, schema, keyword, rule, value))
}

fn check(
    document: &Value,
    schema: &Map<String, Value>,
    keyword: &str,
    rule: &Value,
    value: &Value,
) -> Option<String> {
    let fails = |bad: bool| bad.then(|| format!("{value} is against {keyword} {rule}"));
    let all = |rules: &Value| rules.as_array().unwrap().clone();
    let fits = |schema: &Value| complaint(document, schema, value).is_none();
    match keyword {
        "type" => fails(!has_type(rule, value)),
        "enum" => fails(!all(rule).contains(value)),
        "const" => fails(rule != value),
        "minimum" => fails(value.as_f64().is_some_and(|number| number < rule.as_f64().unwrap())),
        "maximum" => fails(value.as_f64().is_some_and(|number| number > rule.as_f64().unwrap())),
        "minItems" => {
            fails(value.as_array().is_some_and(|v| (v.len() as u64) < rule.as_u64().unwrap()))
        }
        "maxItems" => {
            fails(value.as_array().is_some_and(|v| v.len() as u64 > rule.as_u64().unwrap()))
        }
        "required" => fails(value.as_object().is_some_and(|object| {
            all(rule).iter().any(|name| !object.contains_key(name.as_str().unwrap()))
        })),
        "properties" => rule.as_object().unwrap().iter().find_map(|(name, rule)| {
            complaint(document, rule, value.get(name)?).map(|why| format!("{name}: {why}"))
        }),
        "items" => value.as_array()?.iter().find_map(|item| complaint(document, rule, item)),
        "allOf" => fails(!all(rule).iter().all(fits)),
        "anyOf" => fails(!all(rule).iter().any(fits)),
        "oneOf" => fails(all(rule).iter().filter(|schema| fits(schema)).count() != 1),
        "$ref" => {
            complaint(document, document.pointer(&rule.as_str().unwrap()[1..]).unwrap(), value)
        }
        keyword if SILENT.contains(&keyword) => None,
        keyword => panic!("{keyword} of {schema:?} is not known here"),
    }
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        other => panic!("there is no type {other}"),
    };
    rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is))
}
