//! `/api/auth/…` as this document has it, and what admins do with balances: a phone and a password
//! for a pair of JWTs. Whatever credentials a login carries are not looked at, since pages send
//! stale ones along.

use chrono_tz::Tz;
use cloud_core::{Account, Admin, BalanceEntry, Caller, Error, Login, NewAccount, Role, TokenPair};
use domain::money::Fen;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    envelope::{Data, found, made, said},
    time::with_offset,
};
use crate::http::{
    Answer, Call, Created, Json, Problem, Route, Unchecked, fields::Decimal, get, post,
};

/// The routes.
pub(super) fn routes() -> [Route; 8] {
    [
        post("/api/auth/register/", register).summary("Make an account of one's own"),
        post("/api/auth/login/", log_in).summary("Log in by phone"),
        post("/api/auth/token/", token).summary("Log in by name"),
        post("/api/auth/token/refresh/", refresh).summary("The next pair of tokens"),
        get("/api/auth/me/", me).summary("One's own account"),
        get("/api/auth/{id}/", one).summary("One's own account; any for admins"),
        get("/api/admin/users/{id}/balance/", balance).summary("A balance and its last changes"),
        post("/api/admin/users/{id}/balance/", top_up).summary("Top a balance up").idempotent(),
    ]
}

/// An account.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct UserView {
    /// Its number.
    id: i64,
    /// The name to log in with.
    username: String,
    /// 11 digits, also to log in with.
    phone: Option<String>,
    /// Where mail goes.
    email: Option<String>,
    /// URL of a picture.
    avatar: Option<String>,
    /// What it has to spend, in yuan.
    balance: String,
    /// When it was made.
    created_at: String,
}

impl UserView {
    fn new(account: Account, zone: Tz) -> Self {
        Self {
            id: account.id,
            username: account.username,
            phone: account.phone,
            email: account.email,
            avatar: account.avatar,
            balance: Fen(account.balance_fen).to_string(),
            created_at: with_offset(account.created_at_ms, zone),
        }
    }
}

/// Somebody who registers.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RegisterBody {
    /// The name to log in with: 1 to 150 characters without white space.
    username: String,
    /// 11 digits.
    phone: String,
    /// At least 6 characters.
    password: String,
    /// The same again.
    password2: String,
    /// Where mail goes.
    email: Option<String>,
}

/// Somebody who logs in by phone.
#[derive(Deserialize, JsonSchema)]
pub(super) struct LoginBody {
    /// 11 digits.
    phone: String,
    /// The password.
    password: String,
}

/// Somebody who logs in by name.
#[derive(Deserialize, JsonSchema)]
pub(super) struct TokenBody {
    /// The account's name.
    username: String,
    /// The password.
    password: String,
}

/// A refresh token.
#[derive(Deserialize, JsonSchema)]
pub(super) struct RefreshBody {
    /// The token.
    refresh: String,
}

/// Somebody who is logged in.
#[derive(Serialize, JsonSchema)]
pub(super) struct LoggedIn {
    /// The account.
    user: UserView,
    /// For calls, good for 24 h.
    access: String,
    /// For the next pair, good for 7 days.
    refresh: String,
}

/// A pair of tokens.
#[derive(Serialize, JsonSchema)]
pub(super) struct PairView {
    /// For calls, good for 24 h.
    access: String,
    /// For the next pair, good for 7 days.
    refresh: String,
}

impl From<TokenPair> for PairView {
    fn from(TokenPair { access, refresh }: TokenPair) -> Self {
        Self { access, refresh }
    }
}

/// An amount for a balance.
#[derive(Debug, Deserialize, JsonSchema)]
pub(super) struct TopUpBody {
    /// What was taken for it, in yuan.
    amount: Decimal,
    /// Why, for people: at most 200 characters.
    #[serde(default)]
    note: String,
}

/// A balance and how it came about.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BalanceView {
    /// The account.
    user: UserView,
    /// The latest 100 changes, the newest first.
    entries: Vec<EntryView>,
}

/// A change of a balance.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct EntryView {
    /// Its number.
    id: i64,
    /// What came in, in yuan; negative where it was spent.
    amount: String,
    /// The balance afterwards, in yuan.
    balance: String,
    /// Why.
    note: String,
    /// When.
    created_at: String,
}

impl EntryView {
    fn new(entry: BalanceEntry, zone: Tz) -> Self {
        Self {
            id: entry.id,
            amount: Fen(entry.amount_fen).to_string(),
            balance: Fen(entry.balance_fen).to_string(),
            note: entry.reason,
            created_at: with_offset(entry.at_ms, zone),
        }
    }
}

async fn register(call: Call<Unchecked, Json<RegisterBody>>) -> Answer<Created<Data<LoggedIn>>> {
    let body = &call.body.0;
    if body.password != body.password2 {
        let (field, problem) = ("password2".into(), "两次输入的密码不一致".into());
        return Err(Problem::Field { field, problem });
    }
    let new = NewAccount {
        username: body.username.trim().to_owned(),
        password: body.password.clone(),
        role: Role::Visitor,
        phone: Some(body.phone.trim().to_owned()),
        email: body.email.clone().filter(|email| !email.is_empty()),
    };
    let account = call.app.cloud.accounts.register(new, call.peer).await?;
    Ok(made("注册成功", logged_in(&call, account).await?))
}

async fn log_in(call: Call<Unchecked, Json<LoginBody>>) -> Answer<Json<Data<LoggedIn>>> {
    let body = &call.body.0;
    let login = Login::Phone(body.phone.trim().to_owned());
    let outcome = call.app.cloud.accounts.log_in(login, &body.password, call.peer).await;
    let account = outcome.map_err(|error| match error {
        // A 401 logs a page's user out, who is not logged in yet.
        Error::Unauthenticated => Error::Refused("wrong_password"),
        error => error,
    })?;
    Ok(said("登录成功", logged_in(&call, account).await?))
}

async fn logged_in<W, B>(call: &Call<W, B>, account: Account) -> Result<LoggedIn, Problem> {
    let TokenPair { access, refresh } = call.app.cloud.accounts.new_pair(&account).await?;
    let user = UserView::new(account, call.app.cloud.parking.zone());
    Ok(LoggedIn { user, access, refresh })
}

async fn token(call: Call<Unchecked, Json<TokenBody>>) -> Answer<Json<PairView>> {
    let (accounts, body) = (&call.app.cloud.accounts, &call.body.0);
    let login = Login::Username(body.username.clone());
    let account = accounts.log_in(login, &body.password, call.peer).await?;
    Ok(Json(accounts.new_pair(&account).await?.into()))
}

async fn refresh(call: Call<Unchecked, Json<RefreshBody>>) -> Answer<Json<PairView>> {
    Ok(Json(call.app.cloud.accounts.refresh(&call.body.0.refresh).await?.into()))
}

async fn me(call: Call<Caller>) -> Answer<Json<Data<UserView>>> {
    let account = call.app.cloud.accounts.own(&call.who).await?;
    Ok(found(UserView::new(account, call.app.cloud.parking.zone())))
}

async fn one(call: Call<Caller>) -> Answer<Json<Data<UserView>>> {
    let account = call.app.cloud.accounts.get(&call.who, call.id("id", "account")?).await?;
    Ok(found(UserView::new(account, call.app.cloud.parking.zone())))
}

async fn balance(call: Call<Admin>) -> Answer<Json<Data<BalanceView>>> {
    let zone = call.app.cloud.parking.zone();
    let id = call.id("id", "account")?;
    let (account, entries) = call.app.cloud.accounts.balance(&call.who, id).await?;
    let entries = entries.into_iter().map(|entry| EntryView::new(entry, zone)).collect();
    Ok(found(BalanceView { user: UserView::new(account, zone), entries }))
}

async fn top_up(call: Call<Admin, Json<TopUpBody>>) -> Answer<Json<Data<UserView>>> {
    let (id, body) = (call.id("id", "account")?, &call.body.0);
    let Fen(amount_fen) = body.amount.parsed("amount")?;
    let account = call.app.cloud.accounts.top_up(&call.who, id, amount_fen, &body.note).await?;
    Ok(said("充值成功", UserView::new(account, call.app.cloud.parking.zone())))
}
