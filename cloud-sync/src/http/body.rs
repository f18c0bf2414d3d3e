//! What a route takes: nothing, or JSON that is checked field by field. A form is taken as the
//! JSON object of its values, as the original services take it.

use cloud_core::MAX_IMPORT_BYTES;
use schemars::{JsonSchema, SchemaGenerator, json_schema};
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::{Map, Value};

use super::{Problem, Request, route::Content};

/// Most bytes of a body that is no picture.
pub(super) const MAX_BYTES: usize = 256 * 1024;
const JSON: &str = "application/json";
const CSV: &str = "text/csv";
const FORM: &str = "application/x-www-form-urlencoded";

/// A body that a handler takes.
pub(crate) trait Body: Sized + Send + 'static {
    /// Reads it off a request.
    fn read(request: &mut Request) -> impl Future<Output = Result<Self, Problem>> + Send;

    /// Its shape; none where nothing is taken.
    fn shape(generator: &mut SchemaGenerator) -> Option<Content>;
}

impl Body for () {
    async fn read(_: &mut Request) -> Result<Self, Problem> {
        Ok(())
    }

    fn shape(_: &mut SchemaGenerator) -> Option<Content> {
        None
    }
}

/// A file of comma-separated values, sent as it is.
pub(crate) struct Csv(pub(crate) Vec<u8>);

impl Body for Csv {
    async fn read(request: &mut Request) -> Result<Self, Problem> {
        let sent = request.header("content-type").unwrap_or_default();
        let kind = sent.split(';').next().unwrap_or_default().trim();
        // What browsers call such a file depends on what else is installed.
        if !matches!(kind, CSV | "text/plain" | "application/vnd.ms-excel") {
            return Err(Problem::MediaType { wanted: CSV });
        }
        request.body(MAX_IMPORT_BYTES).await.map(Self)
    }

    fn shape(_: &mut SchemaGenerator) -> Option<Content> {
        Some(Content { media_type: CSV, schema: json_schema!({"type": "string"}) })
    }
}

/// JSON, both ways: what is taken, and what is answered with 200.
pub(crate) struct Json<T>(pub(crate) T);

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Body for Json<T> {
    async fn read(request: &mut Request) -> Result<Self, Problem> {
        let is_form = match media_type(request) {
            "" | JSON => false,
            FORM => true,
            _ => return Err(Problem::MediaType { wanted: JSON }),
        };
        let body = request.body(MAX_BYTES).await?;
        match body.trim_ascii() {
            b"" => parse(b"{}"),
            form if is_form => parse(values(form).to_string().as_bytes()),
            json => parse(json),
        }
        .map(Self)
    }

    fn shape(generator: &mut SchemaGenerator) -> Option<Content> {
        Some(Content { media_type: JSON, schema: generator.subschema_for::<T>() })
    }
}

/// The media type of a body in lower case, without its parameters; empty where none is said.
fn media_type(request: &Request) -> &str {
    let header = request.header("content-type").unwrap_or_default();
    let name = header.split(';').next().unwrap_or_default().trim();
    [JSON, FORM].into_iter().find(|known| name.eq_ignore_ascii_case(known)).unwrap_or(name)
}

fn values(form: &[u8]) -> Value {
    let pairs = form_urlencoded::parse(form);
    Value::Object(
        pairs.map(|(k, v)| (k.into_owned(), v.into_owned().into())).collect::<Map<_, _>>(),
    )
}

fn parse<T: DeserializeOwned>(json: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let value =
        serde_path_to_error::deserialize(&mut reader).map_err(|error| problem(error, json))?;
    reader.end().map_err(|error| Problem::Malformed(error.to_string()))?;
    Ok(value)
}

/// Names the field that is at fault, where the JSON itself is sound.
fn problem(error: serde_path_to_error::Error<serde_json::Error>, json: &[u8]) -> Problem {
    let path = error.path().to_string();
    let reason = error.into_inner();
    let text = reason.to_string();
    let reason_alone = text.split(" at line ").next().unwrap_or(&text).to_owned();
    // A number where one of a list of words is wanted is told as if it were no JSON.
    let is_sound = || serde_json::from_slice::<IgnoredAny>(json).is_ok();
    if !reason.is_data() && !is_sound() {
        return Problem::Malformed(text);
    }
    let missing =
        reason_alone.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
    match (missing, path.as_str()) {
        (Some(name), ".") => Problem::Missing { field: name.to_owned() },
        (Some(name), _) => Problem::Missing { field: format!("{path}.{name}") },
        (None, ".") => Problem::Malformed(reason_alone),
        (None, _) => Problem::Field { field: path, problem: reason_alone },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Order {
        #[expect(dead_code, reason = "only its absence matters")]
        cabinet: i64,
        #[expect(dead_code, reason = "only what it cannot be matters")]
        size: Option<Size>,
    }

    #[derive(Debug, Deserialize)]
    enum Size {
        #[serde(rename = "small")]
        Small,
    }

    fn failure(json: &str) -> Problem {
        parse::<Order>(json.as_bytes()).unwrap_err()
    }

    #[test]
    fn the_field_at_fault_is_named() {
        assert!(matches!(failure("{}"), Problem::Missing { field } if field == "cabinet"));
        assert!(
            matches!(failure(r#"{"cabinet": []}"#), Problem::Field { field, .. } if field == "cabinet")
        );
        for size in ["1", "[]", "\"huge\""] {
            let json = format!(r#"{{"cabinet": 1, "size": {size}}}"#);
            assert!(matches!(failure(&json), Problem::Field { field, .. } if field == "size"));
        }
    }

    #[test]
    fn what_is_no_object_or_no_json_is_malformed() {
        for json in ["[]", "{", r#"{"cabinet": 1} x"#, "\u{0}", "\"\""] {
            assert!(matches!(failure(json), Problem::Malformed(_)), "{json}");
        }
    }

    #[test]
    fn a_form_is_an_object_of_texts() {
        assert_eq!(values(b"plate=%E4%BA%AC+A&x="), serde_json::json!({"plate": "京 A", "x": ""}));
    }
}
