//! `/api/auth/…` as this document has it: a name and a password for a token that never changes
//! its key. Whatever credentials a login carries are not looked at, since pages send stale ones
//! along.

use cloud_core::{Account, AccountChange, Caller, Login, NewAccount, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::wire::Data;
use crate::http::{Answer, Call, Created, Json, Route, Unchecked, get, post, put};

/// The routes.
pub(super) fn routes() -> [Route; 6] {
    [
        post("/api/auth/register/", register).summary("Make an account of one's own"),
        post("/api/auth/login/", log_in).summary("Log in by name"),
        post("/api/auth/logout/", log_out).summary("Revoke the token that one came with"),
        get("/api/auth/profile/", profile).summary("One's own account"),
        put("/api/auth/profile/update/", update).summary("Change one's own account"),
        post("/api/auth/password/", change_password)
            .summary("Change one's own password, which ends all logins"),
    ]
}

/// Somebody who registers.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RegisterBody {
    /// The name to log in with: 1 to 150 characters without white space.
    username: String,
    /// At least 6 characters.
    password: String,
    /// Where mail goes.
    email: Option<String>,
    /// 11 digits.
    phone: Option<String>,
}

/// Somebody who logs in.
#[derive(Deserialize, JsonSchema)]
pub(super) struct LoginBody {
    /// The account's name.
    username: String,
    /// The password.
    password: String,
}

/// Somebody who has registered.
#[derive(Serialize, JsonSchema)]
pub(super) struct Registered {
    /// The account's number.
    user_id: i64,
    /// Its name.
    username: String,
    /// The key of `Authorization: Token <key>`.
    token: String,
}

/// Somebody who is logged in.
#[derive(Serialize, JsonSchema)]
pub(super) struct LoggedIn {
    /// The account's number.
    user_id: i64,
    /// Its name.
    username: String,
    /// The key of `Authorization: Token <key>`.
    token: String,
    /// Whether it is an admin's.
    is_staff: bool,
    /// The same.
    is_admin: bool,
}

/// Somebody who has logged out.
#[derive(Serialize, JsonSchema)]
pub(super) struct LoggedOut {
    success: bool,
    /// Words for the user.
    message: &'static str,
}

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProfileView {
    /// Its number.
    id: i64,
    /// The name to log in with.
    username: String,
    /// Where mail goes; empty where that is not known.
    email: String,
    /// 11 digits; empty where it is not known.
    phone: String,
    /// Whether it is an admin's.
    is_staff: bool,
    /// The same.
    is_admin: bool,
}

impl From<Account> for ProfileView {
    fn from(account: Account) -> Self {
        let is_admin = account.role == Role::Admin;
        Self {
            id: account.id,
            username: account.username,
            email: account.email.unwrap_or_default(),
            phone: account.phone.unwrap_or_default(),
            is_staff: is_admin,
            is_admin,
        }
    }
}

/// What changes of one's own account; what is not given stays, an empty text removes.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct ProfileBody {
    /// The name to log in with.
    username: Option<String>,
    /// Where mail goes.
    email: Option<String>,
    /// 11 digits.
    phone: Option<String>,
}

/// A password for another.
#[derive(Deserialize, JsonSchema)]
pub(super) struct PasswordBody {
    /// The password so far.
    old_password: String,
    /// 6 to 128 characters.
    new_password: String,
}

async fn register(call: Call<Unchecked, Json<RegisterBody>>) -> Answer<Created<Data<Registered>>> {
    let (accounts, body) = (&call.app.cloud.accounts, &call.body.0);
    let new = NewAccount {
        username: body.username.trim().to_owned(),
        password: body.password.clone(),
        role: Role::Visitor,
        phone: filled(body.phone.as_deref()),
        email: filled(body.email.as_deref()),
    };
    let account = accounts.register(new, call.peer).await?;
    let token = accounts.new_key(&account).await?;
    let made = Registered { user_id: account.id, username: account.username, token };
    Ok(Created(Data::done("注册成功", made)))
}

async fn log_in(call: Call<Unchecked, Json<LoginBody>>) -> Answer<Json<Data<LoggedIn>>> {
    let (accounts, body) = (&call.app.cloud.accounts, &call.body.0);
    let login = Login::Username(body.username.trim().to_owned());
    let account = accounts.log_in(login, &body.password, call.peer).await?;
    let token = accounts.new_key(&account).await?;
    let is_admin = account.role == Role::Admin;
    Ok(Json(Data::done(
        "登录成功",
        LoggedIn {
            user_id: account.id,
            username: account.username,
            token,
            is_staff: is_admin,
            is_admin,
        },
    )))
}

async fn log_out(call: Call<Caller>) -> Answer<Json<LoggedOut>> {
    call.app.cloud.accounts.log_out(&call.who).await?;
    Ok(Json(LoggedOut { success: true, message: "登出成功" }))
}

async fn profile(call: Call<Caller>) -> Answer<Json<Data<ProfileView>>> {
    Ok(Json(Data::of(call.app.cloud.accounts.own(&call.who).await?.into())))
}

async fn update(call: Call<Caller, Json<ProfileBody>>) -> Answer<Json<Data<ProfileView>>> {
    let body = &call.body.0;
    let change = AccountChange {
        username: body.username.clone(),
        phone: body.phone.as_deref().map(|phone| filled(Some(phone))),
        email: body.email.as_deref().map(|email| filled(Some(email))),
        avatar: None,
    };
    let changed = call.app.cloud.accounts.change_own(&call.who, change).await?;
    Ok(Json(Data::done("更新成功", changed.into())))
}

async fn change_password(call: Call<Caller, Json<PasswordBody>>) -> Answer<Json<Data<Registered>>> {
    let (accounts, body) = (&call.app.cloud.accounts, &call.body.0);
    accounts.change_password(&call.who, &body.old_password, &body.new_password).await?;
    let account = accounts.own(&call.who).await?;
    let token = accounts.new_key(&account).await?;
    let made = Registered { user_id: account.id, username: account.username, token };
    Ok(Json(Data::done("密码已修改，请重新登录", made)))
}

/// A text with something in it.
fn filled(text: Option<&str>) -> Option<String> {
    text.map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}
