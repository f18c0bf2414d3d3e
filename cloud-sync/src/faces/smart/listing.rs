//! Lists: a bare array, or with `?page=` one page of it.

use cloud_core::Window;
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::{BadValue, Json, Parameter, Query};

/// What may stand in the query of every list.
pub(super) const PAGES: &[Parameter] = &[
    Parameter { name: "page", about: "From 1; without it the whole list is answered" },
    Parameter { name: "page_size", about: "1 to 100, 20 by default" },
];

/// Whole, or a page.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub(super) enum Listing<T> {
    /// The whole list.
    Whole(Vec<T>),
    /// A page of it.
    Page {
        /// How many there are in all.
        count: i64,
        /// The page after this one.
        next: Option<String>,
        /// The page before this one.
        previous: Option<String>,
        /// What is on this page.
        results: Vec<T>,
    },
}

/// Which page is wanted; none for the whole list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted(Option<(u32, u32)>);

impl Wanted {
    pub(super) fn of(query: &Query) -> Result<Self, BadValue> {
        let number = query.clamped("page", 1, 1..=u32::MAX)?;
        let size = query.clamped("page_size", 20, 1..=100)?;
        Ok(Self(query.get("page").map(|_| (number, size))))
    }

    /// The part of the list; none for all of it.
    pub(super) fn window(self) -> Option<Window> {
        let window = |(number, size): (u32, u32)| Window {
            skip: (number - 1).saturating_mul(size),
            limit: size,
        };
        self.0.map(window)
    }

    /// The answer, where the list is served at `path`.
    pub(super) fn answer<T, V: From<T>>(
        self,
        path: &str,
        (items, count): (Vec<T>, i64),
    ) -> Json<Listing<V>> {
        let results = items.into_iter().map(V::from).collect();
        let Some((number, size)) = self.0 else { return Json(Listing::Whole(results)) };
        let page = |number: u32| format!("{path}?page={number}&page_size={size}");
        Json(Listing::Page {
            count,
            next: (i64::from(number) * i64::from(size) < count).then(|| page(number + 1)),
            previous: (number > 1).then(|| page(number - 1)),
            results,
        })
    }
}

/// The whole list.
pub(super) const WHOLE: Window = Window { skip: 0, limit: u32::MAX };
