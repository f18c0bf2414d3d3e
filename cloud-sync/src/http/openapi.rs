//! OpenAPI documents, one for each family, made from the declarations that serve.

use std::sync::Arc;

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};
use warp::{
    Filter, Rejection, Reply,
    filters::BoxedFilter,
    reject,
    reply::{Response, html, with_header},
};

use super::{Face, Faces, Route, access::Rule, route::Content};

const PAGE: &str = include_str!("openapi.html");
/// Only what the page itself brings, and this server.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                      connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// `/openapi/<family>.json`, and a page to read them at `/openapi/`.
pub(crate) fn routes(faces: Arc<Faces>) -> BoxedFilter<(Response,)> {
    let page = page(&faces);
    let page = warp::path!("openapi").and(warp::get()).map(move || {
        with_header(html(page.clone()), "content-security-policy", POLICY).into_response()
    });
    let one = warp::path!("openapi" / String).and(warp::get()).and_then(move |file: String| {
        let found = file.strip_suffix(".json").and_then(|family| document(&faces, family));
        async {
            let document = found.ok_or_else(reject::not_found)?;
            Ok::<_, Rejection>(warp::reply::json(&document).into_response())
        }
    });
    page.or(one).unify().boxed()
}

/// The page, which knows the families' names.
fn page(faces: &Faces) -> String {
    let mut families: Vec<_> = faces.all().iter().map(|face| face.family).collect();
    families.sort_unstable();
    families.dedup();
    PAGE.replacen("FAMILIES", &json!(families).to_string(), 1)
}

/// The document of a family; none where there is no such family.
pub(crate) fn document(faces: &Faces, family: &str) -> Option<Value> {
    let faces: Vec<_> = faces.all().iter().filter(|face| face.family == family).collect();
    if faces.is_empty() {
        return None;
    }
    let settings = SchemaSettings::draft2020_12();
    let mut generator =
        settings.with(|s| s.definitions_path = "/components/schemas".into()).into_generator();
    let mut paths: Map<String, Value> = Map::new();
    for route in faces.iter().flat_map(|face: &&Face| &face.routes) {
        let takes = (route.takes)(&mut generator);
        let gives = (route.gives)(&mut generator);
        let methods = paths.entry(route.path).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_lowercase()] = operation(route, takes, gives);
    }
    Some(json!({
        "openapi": "3.1.0",
        "info": {"title": format!("Gatehouse: {family}"), "version": env!("CARGO_PKG_VERSION")},
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "token": {"type": "apiKey", "in": "header", "name": "Authorization",
                          "description": "`Token <key>`"},
                "jwt": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "device": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
    }))
}

fn operation(route: &Route, takes: Option<Content>, gives: Option<Content>) -> Value {
    let mut operation = json!({
        "operationId": name(route),
        "summary": route.summary,
        "parameters": parameters(route),
        "responses": {
            route.status.to_string(): response("What was asked for", gives),
            "default": {"description": "A problem, in the family's form"},
        },
        "security": security(route.rule),
        "x-role": role(route.rule),
    });
    if let Some(content) = takes {
        operation["requestBody"] = json!({"content": media(content)});
    }
    operation
}

/// `get_api_charging_bills_bill_id`, for those who make clients of the document.
fn name(route: &Route) -> String {
    let is_of_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    let mut name = route.method.as_str().to_lowercase();
    for segment in route.path.split('/').filter(|segment| !segment.is_empty()) {
        name.push('_');
        name.extend(segment.chars().filter(is_of_name));
    }
    name
}

fn response(description: &str, content: Option<Content>) -> Value {
    match content {
        Some(content) => json!({"description": description, "content": media(content)}),
        None => json!({"description": description}),
    }
}

fn media(content: Content) -> Value {
    json!({content.media_type: {"schema": content.schema}})
}

fn parameters(route: &Route) -> Vec<Value> {
    let in_path = route.path.split(['{', '}']).skip(1).step_by(2).map(
        |name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
    );
    let in_query = route.parameters.iter().map(|p| {
        json!({"name": p.name, "in": "query", "description": p.about, "schema": {"type": "string"}})
    });
    let key = route.idempotent.then(|| {
        json!({"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"},
               "description": "The same key and body give the first answer again."})
    });
    in_path.chain(in_query).chain(key).collect()
}

fn security(rule: Rule) -> Value {
    match rule {
        Rule::Anyone => json!([]),
        Rule::Account | Rule::Operator | Rule::Admin => json!([{"token": []}, {"jwt": []}]),
        Rule::Device => json!([{"device": []}]),
        Rule::LocalAccount | Rule::LocalOperator => json!([{}, {"token": []}, {"jwt": []}]),
    }
}

/// The least role, for people who read the document.
const fn role(rule: Rule) -> &'static str {
    match rule {
        Rule::Anyone => "everybody",
        Rule::Account | Rule::LocalAccount => "every account",
        Rule::Operator | Rule::LocalOperator => "operators and admins",
        Rule::Admin => "admins",
        Rule::Device => "controllers",
    }
}
