//! `/api/users/users/`: accounts, where an admin is an admin and everybody else a user.

use cloud_core::{Account, AccountChange, Admin, NewAccount, Operator, Role, unknown_password};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    input::{one_of, required},
    listing::{Listing, WHOLE, Wanted},
};
use crate::http::{Answer, Call, Created, Json, Local, NoContent, Problem, fields};

const PATH: &str = "/api/users/users/";

/// A user.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct UserView {
    /// Its number.
    id: i64,
    /// The name to log in with.
    username: String,
    /// Where mail goes.
    email: Option<String>,
    /// admin or user.
    role: &'static str,
}

impl From<Account> for UserView {
    fn from(account: Account) -> Self {
        let role = if account.role == Role::Admin { "admin" } else { "user" };
        Self { id: account.id, username: account.username, email: account.email, role }
    }
}

/// What is said of a user.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct UserBody {
    /// The name to log in with: 1 to 150 characters without white space.
    username: Option<String>,
    /// Where mail goes.
    #[serde(default, deserialize_with = "fields::given")]
    email: Option<Option<String>>,
    /// 11 digits.
    #[serde(default, deserialize_with = "fields::given")]
    phone: Option<Option<String>>,
    /// 6 to 128 characters; a new user without one cannot log in before an admin sets it.
    password: Option<String>,
    /// admin or user.
    role: Option<String>,
}

impl UserBody {
    fn role(&self) -> Result<Option<Role>, Problem> {
        let words = [("admin", Role::Admin), ("user", Role::Visitor)];
        self.role.as_deref().map(|word| one_of("role", word, &words)).transpose()
    }

    fn change(&self) -> AccountChange {
        AccountChange {
            username: self.username.clone(),
            email: self.email.clone().map(filled),
            phone: self.phone.clone().map(filled),
            avatar: None,
        }
    }
}

/// An empty text is none.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

pub(super) async fn list(call: Call<Local<Operator>>) -> Answer<Json<Listing<UserView>>> {
    let wanted = Wanted::of(&call.query)?;
    let window = wanted.window().unwrap_or(WHOLE);
    let accounts = call.app.cloud.accounts.list(&call.who.0, window).await?;
    Ok(wanted.answer(PATH, accounts))
}

pub(super) async fn create(call: Call<Admin, Json<UserBody>>) -> Answer<Created<UserView>> {
    let body = &call.body.0;
    let new = NewAccount {
        username: required("username", body.username.clone())?,
        password: body.password.clone().unwrap_or_else(unknown_password),
        role: body.role()?.unwrap_or(Role::Visitor),
        phone: body.phone.clone().flatten().and_then(|phone| filled(Some(phone))),
        email: body.email.clone().flatten().and_then(|email| filled(Some(email))),
    };
    Ok(Created(call.app.cloud.accounts.create(&call.who, new).await?.into()))
}

pub(super) async fn one(call: Call<Local<Operator>>) -> Answer<Json<UserView>> {
    let id = call.id("id", "account")?;
    Ok(Json(call.app.cloud.accounts.any(&call.who.0, id).await?.into()))
}

pub(super) async fn replace(call: Call<Admin, Json<UserBody>>) -> Answer<Json<UserView>> {
    required("username", call.body.0.username.as_ref())?;
    change(call).await
}

pub(super) async fn change(call: Call<Admin, Json<UserBody>>) -> Answer<Json<UserView>> {
    let (accounts, body, id) = (&call.app.cloud.accounts, &call.body.0, call.id("id", "account")?);
    let role = body.role()?;
    let before = accounts.any(&call.who.operator(), id).await?;
    // An operator shows as a user: what is shown already is no change.
    let role = role.filter(|role| (*role == Role::Admin) != (before.role == Role::Admin));
    let changed = accounts.change(&call.who, id, body.change(), role).await?;
    if let Some(password) = &body.password {
        accounts.reset_password(&call.who, id, password).await?;
    }
    Ok(Json(changed.into()))
}

pub(super) async fn remove(call: Call<Admin>) -> Answer<NoContent> {
    call.app.cloud.accounts.remove(&call.who, call.id("id", "account")?).await?;
    Ok(NoContent)
}
