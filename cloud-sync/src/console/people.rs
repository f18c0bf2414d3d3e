//! Signing in at the page. What it gets is kept by the page alone and sent in a header, never as a
//! cookie, so that no other page can make a browser send it.

use cloud_core::{Error, Login};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::http::{Answer, Call, Json, Route, Unchecked, post};

pub(super) fn routes() -> [Route; 1] {
    [post("/console/v1/sign-in", sign_in).summary("Sign in by name and password")]
}

#[derive(Deserialize, JsonSchema)]
struct SignIn {
    username: String,
    password: String,
}

#[derive(Serialize, JsonSchema)]
struct SignedIn {
    username: String,
    /// `visitor`, `operator` or `admin`.
    role: &'static str,
    /// For `Authorization: Bearer`, good for 24 h.
    token: String,
}

async fn sign_in(call: Call<Unchecked, Json<SignIn>>) -> Answer<Json<SignedIn>> {
    let (accounts, body) = (&call.app.cloud.accounts, &call.body.0);
    let login = Login::Username(body.username.trim().to_owned());
    let outcome = accounts.log_in(login, &body.password, call.peer).await;
    let account = outcome.map_err(|error| match error {
        // A 401 would say that somebody is signed in no longer.
        Error::Unauthenticated => Error::Refused("wrong_password"),
        error => error,
    })?;
    let token = accounts.new_pair(&account).await?.access;
    Ok(Json(SignedIn { username: account.username, role: account.role.as_str(), token }))
}
