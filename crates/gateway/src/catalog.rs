//! The table of operations, read from the OpenAPI document at start-up.
//!
//! What an operation declares with `#[utoipa::path]` is the only place where its id, scope and limits are written. An
//! operation that does not say what the edge must know stops the start: an endpoint without a declared security is
//! never served by accident.

use crate::limits;
use http::Method;
use plinth_api::{
    limits::JSON_BODY_MAX_BYTES,
    operation::{Class, Idempotency, Operation},
};
use plinth_kernel::PrincipalKind;
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};

/// Why the document cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The document could not be written as JSON.
    #[error("the OpenAPI document cannot be serialised: {0}")]
    Document(#[from] serde_json::Error),
    /// An operation does not say something the edge must know.
    #[error("{method} {path}: {reason}")]
    Operation {
        /// HTTP method.
        method: String,
        /// Path template.
        path: String,
        /// What is missing or wrong.
        reason: String,
    },
    /// Two templates cannot be told apart.
    #[error("{path}: {reason}")]
    Path {
        /// Path template.
        path: String,
        /// The router's reason.
        reason: String,
    },
}

/// An operation as the edge serves it, with `M` for what the caller of [`Catalog::read`] attaches to each.
#[derive(Debug)]
pub struct Endpoint<M> {
    /// What is declared.
    pub operation: Arc<Operation>,
    /// Whether pages of other origins may call it: it takes a credential that is not a cookie.
    pub cross_origin: bool,
    /// Attached.
    pub attached: M,
}

/// A path and what may be done with it.
#[derive(Debug)]
pub struct Resource<M> {
    methods: Vec<(Method, Endpoint<M>)>,
    /// The value of `Allow`.
    pub allow: String,
}

impl<M> Resource<M> {
    /// The endpoint of a method. `HEAD` is served by `GET` (RFC 9110 §9.3.2).
    #[must_use]
    pub fn endpoint(&self, method: &Method) -> Option<&Endpoint<M>> {
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        self.methods.iter().find(|(m, _)| m == wanted).map(|(_, endpoint)| endpoint)
    }

    /// Every endpoint of the path.
    pub fn endpoints(&self) -> impl Iterator<Item = &Endpoint<M>> {
        self.methods.iter().map(|(_, endpoint)| endpoint)
    }
}

/// Every operation, by path.
#[derive(Debug)]
pub struct Catalog<M> {
    router: matchit::Router<Resource<M>>,
    operations: Vec<Arc<Operation>>,
}

impl<M> Catalog<M> {
    /// Reads the document; `attach` makes what is kept with each operation.
    pub fn read(
        document: &utoipa::openapi::OpenApi,
        attach: impl Fn(&Operation) -> M,
    ) -> Result<Self, CatalogError> {
        let document = serde_json::to_value(document)?;
        let (mut router, mut operations, mut ids) = (matchit::Router::new(), Vec::new(), BTreeSet::new());
        for (path, item) in document["paths"].as_object().into_iter().flatten() {
            let mut methods = Vec::new();
            for (name, declared) in item.as_object().into_iter().flatten() {
                let Some(method) = method_of(name) else { continue };
                let fault = |reason: String| CatalogError::Operation {
                    method: method.to_string(),
                    path: path.clone(),
                    reason,
                };
                let operation = Arc::new(operation(&method, path, declared).map_err(fault)?);
                if !ids.insert(operation.id.clone()) {
                    return Err(fault(format!("the operation id {:?} is taken", operation.id)));
                }
                let endpoint = Endpoint {
                    cross_origin: operation.callers.iter().any(|(kind, _)| {
                        matches!(kind, PrincipalKind::PublishableKey | PrincipalKind::EndUser)
                    }),
                    attached: attach(&operation),
                    operation: operation.clone(),
                };
                operations.push(operation);
                methods.push((method, endpoint));
            }
            let resource = Resource { allow: allow(&methods), methods };
            router
                .insert(path.clone(), resource)
                .map_err(|error| CatalogError::Path { path: path.clone(), reason: error.to_string() })?;
        }
        Ok(Self { router, operations })
    }

    /// The resource of a path.
    #[must_use]
    pub fn find(&self, path: &str) -> Option<&Resource<M>> {
        self.router.at(path).ok().map(|found| found.value)
    }

    /// Every operation.
    #[must_use]
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }
}

/// Every scope that some operation declares: the catalogue that keys are checked against.
pub fn scopes(document: &utoipa::openapi::OpenApi) -> Result<BTreeSet<String>, CatalogError> {
    let catalog = Catalog::read(document, |_| ())?;
    let scopes = catalog.operations().iter().flat_map(|op| op.callers.iter().map(|(_, scope)| scope.clone()));
    Ok(scopes.filter(|scope| !scope.is_empty()).collect())
}

fn method_of(name: &str) -> Option<Method> {
    Some(match name {
        "get" => Method::GET,
        "put" => Method::PUT,
        "post" => Method::POST,
        "delete" => Method::DELETE,
        "patch" => Method::PATCH,
        _ => return None,
    })
}

fn allow<M>(methods: &[(Method, Endpoint<M>)]) -> String {
    let mut names: Vec<&str> = methods.iter().map(|(method, _)| method.as_str()).collect();
    if names.contains(&"GET") {
        names.push("HEAD");
    }
    names.push("OPTIONS");
    names.join(", ")
}

fn operation(method: &Method, path: &str, declared: &Value) -> Result<Operation, String> {
    let text = |name: &str| declared[name].as_str().filter(|text| !text.trim().is_empty());
    let id = text("operationId").ok_or("has no operation_id")?;
    text("summary").ok_or("has no summary")?;
    let (safe, extension) = (*method == Method::GET, &declared["x-plinth"]);
    let (callers, anonymous) = callers(&declared["security"], safe)?;
    for name in extension.as_object().into_iter().flat_map(|map| map.keys()) {
        if !["class", "cost", "body_max_bytes", "timeout_ms", "idempotency"].contains(&name.as_str()) {
            return Err(format!("x-plinth has no member {name:?}"));
        }
    }
    Ok(Operation {
        id: id.to_owned(),
        method: method.to_string(),
        path: path.to_owned(),
        callers,
        anonymous,
        class: class(&extension["class"], safe)?,
        cost: number(extension, "cost")?
            .map_or(Ok(1), u32::try_from)
            .map_err(|_| "x-plinth.cost is too large")?,
        body_max_bytes: number(extension, "body_max_bytes")?
            .map_or(Ok(JSON_BODY_MAX_BYTES), usize::try_from)
            .map_err(|_| "x-plinth.body_max_bytes is too large")?,
        timeout_ms: match extension.get("timeout_ms") {
            // A stream says so with `null`.
            Some(Value::Null) => None,
            None => Some(if safe { limits::READ_TIMEOUT_MS } else { limits::WRITE_TIMEOUT_MS }),
            Some(_) => number(extension, "timeout_ms")?,
        },
        idempotency: idempotency(&extension["idempotency"], safe)?,
    })
}

fn number(extension: &Value, name: &str) -> Result<Option<u64>, String> {
    match extension.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_u64()
            .filter(|n| *n > 0)
            .map(Some)
            .ok_or(format!("x-plinth.{name} is not a positive number")),
    }
}

fn class(value: &Value, safe: bool) -> Result<Class, String> {
    Ok(match value.as_str() {
        None if value.is_null() => {
            if safe {
                Class::Read
            } else {
                Class::Write
            }
        }
        Some("critical") => Class::Critical,
        Some("write") => Class::Write,
        Some("read") => Class::Read,
        Some("bulk") => Class::Bulk,
        Some("background") => Class::Background,
        _ => return Err(format!("x-plinth.class is {value}")),
    })
}

fn idempotency(value: &Value, safe: bool) -> Result<Idempotency, String> {
    match value.as_str() {
        None if value.is_null() => Ok(if safe { Idempotency::NotApplicable } else { Idempotency::Accepted }),
        Some("required") if !safe => Ok(Idempotency::Required),
        Some("accepted") if !safe => Ok(Idempotency::Accepted),
        // For answers that hold a secret: they must not be stored, so there is nothing to replay.
        Some("none") if !safe => Ok(Idempotency::NotApplicable),
        _ => Err(format!("x-plinth.idempotency is {value}")),
    }
}

/// The kinds of caller that a security requirement lets in, each with its scope, and whether nobody may call too.
fn callers(security: &Value, safe: bool) -> Result<(Vec<(PrincipalKind, String)>, bool), String> {
    let requirements = security.as_array().filter(|list| !list.is_empty()).ok_or("has no security")?;
    let (mut callers, mut anonymous) = (Vec::new(), false);
    for requirement in requirements {
        let schemes = requirement.as_object().ok_or("has a security requirement that is not an object")?;
        if schemes.is_empty() {
            anonymous = true;
            continue;
        }
        if schemes.len() > 1 {
            return Err("asks for two credentials at once".into());
        }
        for (scheme, scopes) in schemes {
            let scopes = scopes.as_array().map_or(&[][..], Vec::as_slice);
            let scope = match scopes {
                [] => String::new(),
                [Value::String(scope)] => scope.clone(),
                _ => return Err(format!("asks for more than one scope of {scheme}")),
            };
            let kinds: &[PrincipalKind] = match scheme.as_str() {
                // A personal key is a secret key that acts for a member.
                "secret_key" => &[PrincipalKind::SecretKey, PrincipalKind::PersonalKey],
                "publishable_key" => &[PrincipalKind::PublishableKey],
                "session" => &[PrincipalKind::Session],
                "user_token" => &[PrincipalKind::EndUser],
                "visitor" => &[PrincipalKind::Visitor],
                _ => return Err(format!("has the unknown security scheme {scheme:?}")),
            };
            if !safe && scope.is_empty() && kinds.contains(&PrincipalKind::SecretKey) {
                return Err("lets keys change something without a scope".into());
            }
            callers.extend(kinds.iter().map(|kind| (*kind, scope.clone())));
        }
    }
    Ok((callers, anonymous))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn document(paths: Value) -> utoipa::openapi::OpenApi {
        serde_json::from_value(
            json!({"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}),
        )
        .unwrap()
    }

    fn declared(id: &str) -> Value {
        json!({"operationId": id, "summary": "s", "responses": {}, "security": [{"secret_key": ["a:b:read"]}, {"session": ["a:b:read"]}]})
    }

    #[test]
    fn an_operation_is_found_by_path_and_method() {
        let catalog = Catalog::read(
            &document(json!({
                "/v1/things": {"get": declared("list_things"), "post": declared("create_thing")},
                "/v1/things/{id}": {"get": declared("get_thing")},
                "/v1/things/published": {"get": declared("published_things")},
            })),
            |_| (),
        )
        .unwrap();
        let id = |path: &str, method: Method| {
            catalog.find(path).and_then(|r| r.endpoint(&method)).map(|e| e.operation.id.clone())
        };
        assert_eq!(id("/v1/things", Method::GET).as_deref(), Some("list_things"));
        assert_eq!(id("/v1/things", Method::HEAD).as_deref(), Some("list_things"));
        assert_eq!(id("/v1/things/x", Method::GET).as_deref(), Some("get_thing"));
        assert_eq!(id("/v1/things/published", Method::GET).as_deref(), Some("published_things"));
        assert_eq!(id("/v1/things", Method::PUT), None);
        assert_eq!(catalog.find("/v1/things").unwrap().allow, "GET, POST, HEAD, OPTIONS");
        assert!(catalog.find("/v1/things/x/y").is_none());
        let operation = &catalog.find("/v1/things").unwrap().endpoint(&Method::POST).unwrap().operation;
        assert_eq!(
            (operation.class, operation.idempotency, operation.timeout_ms),
            (Class::Write, Idempotency::Accepted, Some(15_000))
        );
        assert_eq!(operation.scope_for(PrincipalKind::PersonalKey), Some("a:b:read"));
        assert_eq!(operation.scope_for(PrincipalKind::Visitor), None);
    }

    #[test]
    fn what_an_operation_leaves_out_stops_the_start() {
        let mut cases = Vec::new();
        for missing in ["operationId", "summary", "security"] {
            let mut op = declared("x");
            op.as_object_mut().unwrap().remove(missing);
            cases.push(op);
        }
        for (member, value) in [
            ("security", json!([])),
            ("security", json!([{"password": []}])),
            ("security", json!([{"secret_key": ["a:b:c", "d:e:f"]}])),
            ("security", json!([{"secret_key": ["a:b:c"], "session": ["a:b:c"]}])),
            ("x-plinth", json!({"class": "urgent"})),
            ("x-plinth", json!({"cots": 5})),
            ("x-plinth", json!({"cost": 0})),
            ("x-plinth", json!({"timeout_ms": "long"})),
            ("x-plinth", json!({"idempotency": "required"})),
        ] {
            let mut op = declared("x");
            op[member] = value;
            cases.push(op);
        }
        for case in cases {
            assert!(
                Catalog::read(&document(json!({"/v1/x": {"get": case.clone()}})), |_| ()).is_err(),
                "{case}"
            );
        }
        let mut scopeless = declared("x");
        scopeless["security"] = json!([{"secret_key": []}]);
        assert!(Catalog::read(&document(json!({"/v1/x": {"get": scopeless.clone()}})), |_| ()).is_ok());
        assert!(Catalog::read(&document(json!({"/v1/x": {"post": scopeless}})), |_| ()).is_err());
        let twice = document(json!({"/v1/x": {"get": declared("a")}, "/v1/y": {"get": declared("a")}}));
        assert!(Catalog::read(&twice, |_| ()).is_err(), "one id for two operations");
    }

    #[test]
    fn what_an_operation_says_is_kept() {
        let mut op = declared("stream");
        op["x-plinth"] = json!({"class": "bulk", "cost": 5, "body_max_bytes": 1024, "timeout_ms": null, "idempotency": "required"});
        op["security"] = json!([{}, {"visitor": []}, {"publishable_key": ["a:b:c"]}]);
        let catalog = Catalog::read(&document(json!({"/v1/x": {"post": op}})), |_| ()).unwrap();
        let operation = &catalog.operations()[0];
        assert_eq!(
            (
                operation.class,
                operation.cost,
                operation.body_max_bytes,
                operation.timeout_ms,
                operation.idempotency
            ),
            (Class::Bulk, 5, 1024, None, Idempotency::Required)
        );
        assert!(operation.anonymous);
        assert_eq!(operation.scope_for(PrincipalKind::Visitor), Some(""));
        assert!(catalog.find("/v1/x").unwrap().endpoint(&Method::POST).unwrap().cross_origin);
        assert_eq!(scopes(&document(json!({"/v1/y": {"get": declared("y")}}))).unwrap().len(), 1);
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "\\PC{0,60}") {
            let catalog = Catalog::read(&document(json!({"/v1/things/{id}": {"get": declared("t")}})), |_| ()).unwrap();
            let _ = catalog.find(&path);
        }
    }
}
