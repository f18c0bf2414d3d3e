//! The one domain behind all faces of the cloud: sites, what they report, and the people who look
//! at it. Knows nothing of HTTP; keeps its database to itself.

mod access;
mod accounts;
mod base;
pub mod calendar;
mod caller;
pub mod charging;
mod devices;
mod directives;
mod error;
mod ingest;
mod limits;
pub mod lockers;
mod logs;
mod news;
mod once;
mod parking;
mod pictures;
mod plates;
pub mod providers;
mod recognition;
mod search;
mod secret;
mod settings;
mod sites;
mod store;
mod system_logs;
mod text;
mod vehicles;

use std::{path::PathBuf, sync::Arc};

use chrono_tz::Tz;
use domain::clock::Clock;
use tokio::sync::{broadcast, watch};

pub use self::{
    access::{
        Access, Entry as AccessEntry, EntryFilter, HistoryLine, Import, Imported,
        Kind as AccessKind, LineProblem, MAX_IMPORT_BYTES, NewEntry, Request as AccessRequest,
    },
    accounts::{
        Account, AccountChange, Accounts, BalanceEntry, Login, NewAccount, ParkingPreference,
        PreferenceChange, TokenPair, unknown_password,
    },
    caller::{Actor, Admin, Caller, Device, Operator, Role},
    charging::Charging,
    devices::Devices,
    directives::{DirectiveOutcome, Directives, Request as DirectiveRequest},
    error::{Error, Result},
    ingest::{Delivery, Ingest, IngestError, JournalReport, Sender},
    limits::{Lease, RateLimits},
    lockers::{LockerSettings, Lockers},
    news::SpotNews,
    once::{Begun, Kept, Once, OnceKey},
    parking::{
        ActiveSession, Alert, AlertFilter, AlertKind, Area, AreaChange, Assignment, Camera,
        CameraChange, Dashboard, DayFigures, Detection, Entry, FeeConfig, NewArea, NewFeeConfig,
        NewSpot, Paid, Parking, PayMethod, Payable, Payment, PaymentChange, PaymentFigures,
        PaymentFilter, PaymentStatus, Priority, Sighting, Spot, SpotChange, SpotFilter, SpotReport,
        SpotStatus, Stay, StayFilter, StayTariff, VehicleType,
    },
    pictures::{MAX_PICTURE_BYTES, Pictures, Upload},
    plates::{
        Correction, Movement, PlateFilter, PlateRead, Plates, ReadBy, Recognition, SpotName,
        Statistics, Window,
    },
    providers::{
        Awaited, Gateway, GatewayError, ProviderName, Providers, RefundState, UNAVAILABLE,
        WantedPayment, WantedRefund, Word,
    },
    recognition::{
        Better, DetectionFigures, HourCount, ModelSettings, NewPlate, NewRecognition, Performance,
        Realtime, Recognitions, SettingsChange, VehicleFigures,
    },
    settings::{AlertSettings, Settings},
    sites::{NewSite, SiteStatus, Sites},
    store::StoreError,
    system_logs::{LogFigures, LogFilter, LogLine, SystemLogs},
    vehicles::{Vehicle, VehicleChange, Vehicles},
};
use self::{base::Base, providers::Purpose, store::Store};

/// What payments through providers can be for.
const PURPOSES: &[Purpose] = &[
    lockers::ORDER_PURPOSE,
    lockers::EXTENSION_PURPOSE,
    lockers::OVERTIME_PURPOSE,
    parking::STAY_PURPOSE,
];

/// News of spots that somebody slow may be behind with.
const MOST_NEWS: usize = 64;

/// What the services need to know before they start.
pub struct Options {
    /// `sqlite:///relative.db`, `sqlite:////absolute.db` or
    /// `postgres://user:password@host:port/database`.
    pub database_url: String,
    /// Where pictures are kept; none for `pictures` beside the database's file, or in the working
    /// folder where the database is PostgreSQL.
    pub pictures: Option<PathBuf>,
    /// The time zone of the sites.
    pub zone: Tz,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Who takes payments outside.
    pub providers: Vec<Arc<dyn Gateway>>,
    /// What can be set of the lockers.
    pub lockers: LockerSettings,
    /// What can be set of alerts and of what is kept.
    pub settings: Settings,
}

/// All services over one database.
pub struct Cloud {
    /// Permits and denials.
    pub access: Access,
    /// Accounts and tokens.
    pub accounts: Accounts,
    /// Vehicles and whose they are.
    pub vehicles: Vehicles,
    /// Charging: requests, queues, piles, bills.
    pub charging: Charging,
    /// Controllers that call by themselves.
    pub devices: Devices,
    /// Sites and their enrolment.
    pub sites: Sites,
    /// The way in for events.
    pub ingest: Ingest,
    /// The way down to the sites.
    pub directives: Directives,
    /// The way in and out for pictures.
    pub pictures: Pictures,
    /// Plates that were read.
    pub plates: Plates,
    /// Pictures that people send.
    pub recognition: Recognitions,
    /// Areas, spots, stays, fees and alerts.
    pub parking: Parking,
    /// Payments at providers outside.
    pub providers: Providers,
    /// Cabinets, their orders and controllers.
    pub lockers: Lockers,
    /// How often callers may call, counted over all instances.
    pub limits: RateLimits,
    /// What is to be done at most once.
    pub once: Once,
    /// What people and the system did.
    pub logs: SystemLogs,
    base: Base,
}

impl Cloud {
    /// Opens the database, brings its schema up to date and starts its writer. Blocks.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a URL that cannot be used, [`Error::Store`] for a database that
    /// cannot.
    pub fn open(options: Options) -> Result<Self> {
        let store = Store::open(&options.database_url)?;
        let folder = match options.pictures {
            Some(folder) => folder,
            None => store::pictures_folder(&options.database_url)?,
        };
        let base = Base {
            store,
            clock: options.clock,
            changes: watch::Sender::new(0),
            news: broadcast::Sender::new(MOST_NEWS),
            instance: Arc::default(),
            settings: Arc::new(options.settings),
            alarms: Arc::default(),
        };
        let providers = Providers::new(base.clone(), options.providers, PURPOSES);
        let lockers = Lockers::new(base.clone(), options.zone, options.lockers, providers.clone());
        Ok(Self {
            access: Access::new(base.clone(), options.zone),
            accounts: Accounts::new(base.clone()),
            vehicles: Vehicles::new(base.clone()),
            charging: Charging::new(base.clone(), options.zone),
            devices: Devices::new(base.clone()),
            sites: Sites::new(base.clone()),
            ingest: Ingest::new(base.clone(), options.zone),
            directives: Directives::new(base.clone()),
            pictures: Pictures::new(base.clone(), folder),
            plates: Plates::new(base.clone()),
            recognition: Recognitions::new(base.clone(), options.zone),
            parking: Parking::new(base.clone(), options.zone, providers.clone()),
            providers,
            lockers,
            limits: RateLimits::new(base.clone()),
            once: Once::new(base.clone()),
            logs: SystemLogs::new(base.clone(), options.zone),
            base,
        })
    }

    /// Makes this process one that serves: the only one on its SQLite file, or one of several on a
    /// PostgreSQL database, which then hear from each other what has changed, of which one does
    /// what is due by the clock, and which keep their pictures in one place.
    ///
    /// # Errors
    /// [`Error::Invalid`] where another process serves the file, or where the others keep their
    /// pictures elsewhere.
    pub async fn serve(&self) -> Result<()> {
        let base = self.base.clone();
        let instance = self.base.store.serve(move |text| base.heard(text))?;
        self.pictures.share().await?;
        // Who is one already stays it.
        let _ = self.base.instance.set(instance);
        Ok(())
    }

    /// What those who watch spots tell each other.
    pub fn news(&self) -> broadcast::Receiver<SpotNews> {
        self.base.news.subscribe()
    }

    /// Tells those who watch spots, at every instance.
    pub fn tell(&self, news: SpotNews) {
        self.base.tell(news);
    }

    /// Counts up whenever something changed that people see.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.base.changes.subscribe()
    }

    /// The clock that everything here goes by.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.base.clock
    }

    /// Does what the time has made due: expiries, alerts, charging that ends. To be called every
    /// second or so; services also do their own share before they answer. Of several instances one
    /// does it, and another from the moment on at which that one is gone. Whatever is due is looked
    /// for in the transaction that does it: what was begun is done again, what was done is not.
    ///
    /// # Errors
    /// [`Error::Store`] where the database cannot be used.
    pub async fn tick(&self) -> Result<()> {
        if self.base.instance.get().is_some_and(|instance| !instance.leads()) {
            return Ok(());
        }
        self.charging.advance().await?;
        self.lockers.tick().await?;
        self.parking.advance().await?;
        self.once.forget_old().await?;
        self.limits.forget_old().await?;
        self.directives.look().await?;
        Ok(())
    }

    /// Whether the database can be read and written right now.
    ///
    /// # Errors
    /// [`Error::Store`] where it cannot.
    pub async fn check(&self) -> Result<()> {
        self.base.store.write(|_| Ok(())).await
    }
}
