//! A documented family as a table of routes with its own form for errors, and all families
//! together: which route answers a path, and in whose form the rest is refused.

use std::sync::Arc;

use matchit::Router;
use percent_encoding::percent_decode_str;
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, Method, header},
    path::FullPath,
    reject,
    reply::{Response, with_header},
};

use super::{Problem, Request, Requests, Route, limit::Class, route::PathValues};

/// A family's way of telling a problem; the status and `Retry-After` are put on by the table.
pub(crate) type Tell = fn(&Problem) -> Response;

/// A family.
pub(crate) struct Face {
    /// The name of its document.
    pub(crate) family: &'static str,
    /// What its routes are.
    pub(crate) routes: Vec<Route>,
    tell: Tell,
    prefixes: &'static [&'static str],
    class: Class,
}

impl Face {
    /// A family without routes that tells problems in a form of its own.
    pub(crate) const fn new(family: &'static str, tell: Tell) -> Self {
        Self { family, routes: Vec::new(), tell, prefixes: &[], class: Class::Other }
    }

    /// The paths below which everything unknown is this family's error.
    pub(crate) const fn prefixes(mut self, prefixes: &'static [&'static str]) -> Self {
        self.prefixes = prefixes;
        self
    }

    /// The limit that its routes count against.
    pub(crate) const fn class(mut self, class: Class) -> Self {
        self.class = class;
        self
    }

    /// Adds routes.
    pub(crate) fn routes(mut self, routes: impl IntoIterator<Item = Route>) -> Self {
        self.routes.extend(routes);
        self
    }

    /// Tells a problem in the family's form.
    fn problem(&self, problem: &Problem) -> Response {
        problem.log();
        let mut response = (self.tell)(problem);
        if let Some(seconds) = problem.retry_after_s() {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// Which of several families that share a path (as it is documented) and a method is meant. Looks
/// at the request and may read its body, which the family's route reads again.
pub(crate) type Choose = for<'a> fn(
    &'a mut Request,
    &'static str,
) -> std::pin::Pin<
    Box<dyn Future<Output = Result<&'static str, Problem>> + Send + 'a>,
>;

/// All families.
pub(crate) struct Faces {
    faces: Vec<Face>,
    paths: Router<Vec<Place>>,
    choose: Choose,
}

/// Where a route stands.
#[derive(Clone, Copy)]
struct Place {
    face: usize,
    route: usize,
}

impl Faces {
    /// Puts the families together. Where two of them share a path and a method, `choose` says
    /// whose it is.
    ///
    /// # Panics
    /// When two paths cannot be told apart, which the first start of the program shows.
    pub(crate) fn new(faces: Vec<Face>, choose: Choose) -> Self {
        let mut places: Vec<(String, Vec<Place>)> = Vec::new();
        for (face, family) in faces.iter().enumerate() {
            for (route, declared) in family.routes.iter().enumerate() {
                let (path, place) = (trimmed(declared.path).to_owned(), Place { face, route });
                match places.iter_mut().find(|(known, _)| *known == path) {
                    Some((_, places)) => places.push(place),
                    None => places.push((path, vec![place])),
                }
            }
        }
        let mut paths = Router::new();
        for (path, places) in places {
            paths.insert(path, places).expect("paths can be told apart");
        }
        Self { faces, paths, choose }
    }

    /// The families.
    pub(crate) fn all(&self) -> &[Face] {
        &self.faces
    }

    /// The filter that answers what belongs to a family, and rejects the rest.
    pub(crate) fn filter(self: Arc<Self>, requests: &Requests) -> BoxedFilter<(Response,)> {
        warp::method()
            .and(warp::path::full())
            .and(requests.clone())
            .and_then(move |method, path: FullPath, request| {
                let faces = self.clone();
                async move {
                    faces
                        .answer(&method, path.as_str(), request)
                        .await
                        .ok_or_else(reject::not_found)
                }
            })
            .boxed()
    }

    /// The answer to a request; none where its path is no family's.
    async fn answer(&self, method: &Method, path: &str, request: Request) -> Option<Response> {
        let path = trimmed(path);
        let Ok(found) = self.paths.at(path) else {
            return Some(self.owner(path)?.problem(&Problem::NoSuchPath));
        };
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        let served = |place: &&Place| self.route(**place).method == *method;
        let places: Vec<Place> = found.value.iter().filter(served).copied().collect();
        let values = found.params.iter().map(|(name, value)| {
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            (name.to_owned(), value)
        });
        let request = request.with_values(values.collect::<PathValues>());
        match places[..] {
            [] => Some(self.no_such_method(found.value)),
            [place] => Some(self.serve(place, request).await),
            _ => Some(self.serve_chosen(&places, request).await),
        }
    }

    async fn serve(&self, place: Place, request: Request) -> Response {
        let face = &self.faces[place.face];
        let answer = self.route(place).answer(request, face.class).await;
        answer.unwrap_or_else(|problem| face.problem(&problem))
    }

    async fn serve_chosen(&self, places: &[Place], mut request: Request) -> Response {
        let first = places[0];
        let path = self.route(first).path;
        match (self.choose)(&mut request, path).await {
            Ok(family) => {
                let chosen = places.iter().find(|place| self.faces[place.face].family == family);
                self.serve(*chosen.unwrap_or(&first), request).await
            }
            Err(problem) => self.faces[first.face].problem(&problem),
        }
    }

    fn no_such_method(&self, places: &[Place]) -> Response {
        let methods: Vec<_> = places.iter().map(|p| self.route(*p).method.as_str()).collect();
        let refused = self.faces[places[0].face].problem(&Problem::NoSuchMethod);
        let allow = HeaderValue::from_str(&methods.join(", ")).expect("methods are words");
        with_header(refused, header::ALLOW, allow).into_response()
    }

    fn route(&self, place: Place) -> &Route {
        &self.faces[place.face].routes[place.route]
    }

    /// The family whose prefix fits best.
    fn owner(&self, path: &str) -> Option<&Face> {
        let fits = |prefix: &str| {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let length = |face: &&Face| {
            face.prefixes.iter().filter(|p| fits(p)).map(|p| p.len()).max().unwrap_or(0)
        };
        self.faces.iter().max_by_key(length).filter(|face| length(face) > 0)
    }
}

/// `/x/` and `/x` are the same path.
fn trimmed(path: &str) -> &str {
    path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path)
}
