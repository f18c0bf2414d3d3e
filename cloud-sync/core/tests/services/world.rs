//! A cloud of a test's own, on each engine.
//!
//! A test is a function of a [`World`]; the list `on_each_engine!` at the top of its file makes it
//! run twice, on a new SQLite file and in an empty PostgreSQL database:
//!
//! ```ignore
//! use crate::world::{World, on_each_engine};
//!
//! on_each_engine! { a_stay_is_billed_when_it_ends, two_cars_never_get_one_spot }
//!
//! async fn a_stay_is_billed_when_it_ends(world: World) {
//!     let driver = world.visitor("driver").await;
//!     world.clock.advance(TimeDelta::hours(2));
//!     …
//! }
//! ```
//!
//! ```text
//! cargo test --workspace --test services                      all of them
//! cargo test --workspace --test services parking::            one file
//! cargo test --workspace --test services parking::sqlite::    one file, one engine
//! ```
//!
//! Time is [`World::clock`] and stands still until a test moves it; nothing sleeps. What races is
//! spawned with clones of [`World::cloud`]. [`World::another`] is a second process on the same
//! database, [`World::restart`] the same one after a crash.

use std::{path::PathBuf, sync::Arc};

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use cloud_core::{
    Admin, Caller, Cloud, LockerSettings, NewAccount, NewSite, Operator, Options, Role, Settings,
};
use domain::clock::SimulatedClock;
use tempfile::TempDir;

use crate::{postgres::Database, till::Till};

/// A cloud on an empty database, and the clock that it goes by.
pub(crate) struct World {
    /// The services.
    pub(crate) cloud: Arc<Cloud>,
    /// Their time; [`start`] at first.
    pub(crate) clock: Arc<SimulatedClock>,
    place: Place,
}

/// Where a test keeps what it keeps; gone with this.
pub(crate) struct Place {
    database_url: String,
    folder: TempDir,
    database: Option<Database>,
    till: Arc<Till>,
    settings: Settings,
}

/// When every test begins: a Tuesday, noon in Shanghai.
pub(crate) fn start() -> DateTime<Utc> {
    "2026-03-10T04:00:00Z".parse().unwrap()
}

impl Place {
    fn new(database_url: String, folder: TempDir, database: Option<Database>) -> Self {
        let (till, settings) = (Arc::default(), Settings::default());
        Self { database_url, folder, database, till, settings }
    }

    /// A folder for a new SQLite file.
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database_url = format!("sqlite:///{}", folder.path().join("cloud.db").display());
        Self::new(database_url, folder, None)
    }

    /// An empty PostgreSQL database.
    pub(crate) fn postgres() -> Self {
        let database = Database::create();
        let folder = tempfile::tempdir().unwrap();
        Self::new(database.url(), folder, Some(database))
    }

    /// A folder, and a database that need not be there.
    pub(crate) fn at(database_url: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::new(database_url.to_owned(), folder, None)
    }

    /// Opens a cloud there.
    pub(crate) fn open(&self, clock: Arc<SimulatedClock>) -> Cloud {
        self.try_open(clock).unwrap()
    }

    pub(crate) fn try_open(&self, clock: Arc<SimulatedClock>) -> cloud_core::Result<Cloud> {
        self.open_in(Tz::Asia__Shanghai, clock)
    }

    /// Opens a cloud there whose sites are in some time zone.
    fn open_in(&self, zone: Tz, clock: Arc<SimulatedClock>) -> cloud_core::Result<Cloud> {
        Cloud::open(Options {
            database_url: self.database_url.clone(),
            pictures: Some(self.folder.path().join("pictures")),
            zone,
            clock,
            providers: vec![self.till.clone()],
            lockers: LockerSettings::default(),
            settings: self.settings.clone(),
        })
    }
}

impl World {
    /// In an empty place.
    pub(crate) fn on(place: Place) -> Self {
        let clock = Arc::new(SimulatedClock::at(start()));
        Self { cloud: Arc::new(place.open(clock.clone())), clock, place }
    }

    /// The server of the database; none for SQLite, which has no line to cut.
    pub(crate) const fn server(&self) -> Option<&Database> {
        self.place.database.as_ref()
    }

    /// WeChat Pay.
    pub(crate) fn till(&self) -> &Till {
        &self.place.till
    }

    /// The folder of the pictures.
    pub(crate) fn pictures(&self) -> PathBuf {
        self.place.folder.path().join("pictures")
    }

    /// The service ends and starts again with other settings.
    pub(crate) fn set(&mut self, settings: Settings) {
        self.place.settings = settings;
        self.restart();
    }

    /// Another instance of the service on the same database and clock.
    pub(crate) fn another(&self) -> Cloud {
        self.place.open(self.clock.clone())
    }

    /// The service ends and starts again, its sites in another time zone.
    pub(crate) fn move_to(&mut self, zone: Tz) {
        self.cloud = Arc::new(self.place.open_in(zone, self.clock.clone()).unwrap());
    }

    /// The service ends and starts again; what was on disk is all that is left.
    pub(crate) fn restart(&mut self) {
        self.cloud = Arc::new(self.another());
    }

    /// A new account's caller.
    pub(crate) async fn caller(&self, username: &str, role: Role) -> Caller {
        let (username, password) = (username.to_owned(), "secret-1".to_owned());
        let new = NewAccount { username, password, role, phone: None, email: None };
        let username = new.username.clone();
        self.cloud.accounts.add(new).await.unwrap();
        let key = self.cloud.accounts.issue_token(&username).await.unwrap();
        self.cloud.accounts.by_token(&key).await.unwrap()
    }

    /// A new plain user.
    pub(crate) async fn visitor(&self, username: &str) -> Caller {
        self.caller(username, Role::Visitor).await
    }

    /// The rights of a new operator.
    pub(crate) async fn operator(&self) -> Operator {
        self.caller("operator", Role::Operator).await.operator().unwrap()
    }

    /// The rights of a new admin.
    pub(crate) async fn admin(&self) -> Admin {
        self.caller("admin", Role::Admin).await.admin().unwrap()
    }

    /// A new site of so many spots, with one area of the same name.
    pub(crate) async fn site(&self, id: &str, spots: u32) {
        let new = NewSite { id: id.parse().unwrap(), name: id.to_owned(), spots };
        self.cloud.sites.add(new).await.unwrap();
    }
}

/// Makes each of the named functions of a [`World`] a test on each engine.
macro_rules! on_each_engine {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            use $crate::world::{Place, World};

            $(#[tokio::test]
            async fn $story() {
                super::$story(World::on(Place::sqlite())).await;
            })+
        }

        mod postgres {
            use $crate::world::{Place, World};

            $(#[tokio::test]
            async fn $story() {
                super::$story(World::on(Place::postgres())).await;
            })+
        }
    };
}
pub(crate) use on_each_engine;
