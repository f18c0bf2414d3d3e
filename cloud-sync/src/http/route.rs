//! Routes as declarations: method, path, who may call, what goes in and what comes out. All but
//! the first two are read off the handler's own types, so that a declaration cannot say anything
//! else than what is served. The caller is judged before the body, the body before the handler.

use std::{ops::Deref, pin::Pin, sync::Arc};

use cloud_core::Error;
use schemars::{Schema, SchemaGenerator};
use warp::{http::Method, reply::Response};

use super::{
    Problem, Request,
    access::{Access, Anyone, Rule},
    body::Body,
    limit::Class,
    once,
    reply::Reply,
};

/// What a handler answers.
pub(crate) type Answer<T> = Result<T, Problem>;

/// The values of a path's `{name}` parts, decoded.
pub(crate) type PathValues = Vec<(String, String)>;

type Outcome = Pin<Box<dyn Future<Output = Answer<Response>> + Send>>;
type Handler = Box<dyn Fn(Request, Terms) -> Outcome + Send + Sync>;

/// On which terms a request is answered.
struct Terms {
    /// The limit that it counts against.
    class: Class,
    /// The route's name, where `Idempotency-Key` is honoured.
    once: Option<String>,
}

/// A call that was let in.
pub(crate) struct Call<W = Anyone, B = ()> {
    /// Who calls, and what that allows.
    pub(crate) who: W,
    /// What was sent.
    pub(crate) body: B,
    request: Request,
}

impl<W, B> Deref for Call<W, B> {
    type Target = Request;

    fn deref(&self) -> &Request {
        &self.request
    }
}

impl<W, B> Call<W, B> {
    /// The id in the path; what is no number is the id of nothing.
    pub(crate) fn id(&self, name: &str, what: &'static str) -> Result<i64, Error> {
        self.path(name).parse().map_err(|_| Error::NotFound(what))
    }
}

/// A value that may stand in the query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameter {
    /// Its name.
    pub(crate) name: &'static str,
    /// What it does.
    pub(crate) about: &'static str,
}

/// The shape of a body, made when a document is asked for.
pub(crate) type Shape = fn(&mut SchemaGenerator) -> Option<Content>;

/// A body as documents describe it.
pub(crate) struct Content {
    /// Its media type.
    pub(crate) media_type: &'static str,
    /// Its schema.
    pub(crate) schema: Schema,
}

/// One method of one path.
pub(crate) struct Route {
    /// The method.
    pub(crate) method: Method,
    /// The path as it is documented, with `{name}` for its values.
    pub(crate) path: &'static str,
    /// What it does, in a few words.
    pub(crate) summary: &'static str,
    /// Who may call.
    pub(crate) rule: Rule,
    /// What may stand in the query.
    pub(crate) parameters: &'static [Parameter],
    /// The status of success.
    pub(crate) status: u16,
    /// What goes in.
    pub(crate) takes: Shape,
    /// What comes out.
    pub(crate) gives: Shape,
    /// Whether `Idempotency-Key` is honoured.
    pub(crate) idempotent: bool,
    class: Option<Class>,
    handler: Handler,
}

/// Makes the constructors of routes, one for each method.
macro_rules! constructors {
    ($($(#[$about:meta])* $name:ident: $method:ident;)*) => {$(
        $(#[$about])*
        pub(crate) fn $name<W, B, T, F>(
            path: &'static str,
            handler: impl Fn(Call<W, B>) -> F + Send + Sync + 'static,
        ) -> Route
        where
            W: Access,
            B: Body,
            T: Reply,
            F: Future<Output = Answer<T>> + Send + 'static,
        {
            route(Method::$method, path, handler)
        }
    )*};
}

constructors! {
    /// A route that reads.
    get: GET;
    /// A route that makes or does something.
    post: POST;
    /// A route that replaces something.
    put: PUT;
    /// A route that changes parts of something.
    patch: PATCH;
    /// A route that removes something.
    delete: DELETE;
}

fn route<W, B, T, F>(
    method: Method,
    path: &'static str,
    handler: impl Fn(Call<W, B>) -> F + Send + Sync + 'static,
) -> Route
where
    W: Access,
    B: Body,
    T: Reply,
    F: Future<Output = Answer<T>> + Send + 'static,
{
    let handler = Arc::new(handler);
    Route {
        method,
        path,
        summary: "",
        rule: W::RULE,
        parameters: &[],
        status: T::STATUS.as_u16(),
        takes: B::shape,
        gives: T::shape,
        idempotent: false,
        class: None,
        handler: Box::new(move |mut request, terms| {
            let handler = handler.clone();
            Box::pin(async move {
                let who = W::admit(&request, terms.class).await?;
                let key = match terms.once {
                    Some(route) => once::key(&mut request, &route, who.owner()).await?,
                    None => None,
                };
                let body = B::read(&mut request).await?;
                let app = request.app.clone();
                let call = handler(Call { who, body, request });
                let work = async move { Ok(call.await?.into_response()) };
                match key {
                    Some(key) => once::answer(app, key, work).await,
                    None => work.await,
                }
            })
        }),
    }
}

impl Route {
    /// Says what it does.
    pub(crate) const fn summary(mut self, summary: &'static str) -> Self {
        self.summary = summary;
        self
    }

    /// Says what may stand in the query.
    pub(crate) const fn query(mut self, parameters: &'static [Parameter]) -> Self {
        self.parameters = parameters;
        self
    }

    /// Counts it against another limit than its face does.
    pub(crate) const fn class(mut self, class: Class) -> Self {
        self.class = Some(class);
        self
    }

    /// Honours `Idempotency-Key`: for what moves money or a lock.
    pub(crate) const fn idempotent(mut self) -> Self {
        self.idempotent = true;
        self
    }

    /// Answers a request, counted against the route's limit or the given one.
    pub(crate) async fn answer(&self, request: Request, class: Class) -> Answer<Response> {
        let once = self.idempotent.then(|| format!("{} {}", self.method, self.path));
        (self.handler)(request, Terms { class: self.class.unwrap_or(class), once }).await
    }
}
