//! Tariffs. A stay is charged by the one that stood when it began: that of its area, else that of
//! its site; of several the one that was made last. Sites are told of each change, but for the
//! tariffs of members, who are known here alone.

use domain::{
    directive::Directive,
    money::Fen,
    tariff::{Tariff, TariffRule},
};

use super::Parking;
use crate::{
    caller::{Actor, Admin, Caller},
    directives,
    error::{Error, Result},
    logs::Entry,
    sites::{default_site, exists},
    store::{Row, StoreError, Transaction, first, next_id, params},
    text,
};

/// A tariff of a site or an area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeeConfig {
    /// Its number.
    pub id: i64,
    /// The site.
    pub site: String,
    /// The area; none for the whole site.
    pub area_id: Option<i64>,
    /// Its name.
    pub name: String,
    /// What it asks.
    pub tariff: Tariff,
    /// Whether it is for members alone.
    pub for_members: bool,
    /// Whether new stays are charged by it.
    pub is_active: bool,
    /// When it was made, in milliseconds UTC.
    pub created_at_ms: i64,
}

/// A tariff as it shall be.
#[derive(Debug, Clone)]
pub struct NewFeeConfig {
    /// Its name, 1 to 100 characters.
    pub name: String,
    /// The site, where no area says which; none for the first.
    pub site: Option<String>,
    /// The area; none for the whole site.
    pub area_id: Option<i64>,
    /// What it asks.
    pub tariff: Tariff,
    /// Whether it is for members alone.
    pub for_members: bool,
    /// Whether new stays are charged by it.
    pub is_active: bool,
}

impl From<FeeConfig> for NewFeeConfig {
    fn from(config: FeeConfig) -> Self {
        let FeeConfig { site, name, area_id, tariff, for_members, is_active, .. } = config;
        Self { name, site: Some(site), area_id, tariff, for_members, is_active }
    }
}

/// The tariff that holds at an entry.
pub(super) struct Standing {
    pub(super) id: Option<i64>,
    pub(super) name: String,
    pub(super) tariff: Tariff,
}

/// What a stay at the cloud costs where nobody has made a tariff: 10.00 for each started hour.
fn usual() -> Standing {
    let tariff = Tariff {
        rule: TariffRule::Overtime,
        free_minutes: 0,
        base_fee: Fen(1000),
        base_seconds: 3600,
        hourly_rate: Fen(1000),
        daily_max_fee: None,
    };
    Standing { id: None, name: "默认收费".to_owned(), tariff }
}

impl Parking {
    /// The tariffs in use, by their numbers.
    pub async fn fee_configs(&self, _: &Caller) -> Result<Vec<FeeConfig>> {
        let sql = format!("{SELECT} WHERE is_active = 1 ORDER BY id");
        let rows = self.base.store.read(move |tx| Ok(tx.query(&sql, &[])?)).await?;
        rows.iter().map(config).collect()
    }

    /// One tariff, also one that is no longer in use: stays that began by it are charged by it.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub async fn fee_config(&self, _: &Caller, id: i64) -> Result<FeeConfig> {
        self.base.store.read(move |tx| get(tx, id)).await
    }

    /// Makes a tariff.
    ///
    /// # Errors
    /// [`Error::Invalid`] names what cannot be used.
    pub async fn add_fee_config(&self, admin: &Admin, new: NewFeeConfig) -> Result<FeeConfig> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let made = self.base.store.write(move |tx| {
            let id = next_id(tx, "tariff")?;
            let site = site_of(tx, new.site.as_deref(), new.area_id, now_ms)?;
            tx.execute(
                "INSERT INTO tariffs (site_id, id, name, rule, free_minutes, base_fee_fen,
                        base_seconds, hourly_rate_fen, created_at_ms)
                 VALUES ($1, $2, '', 'documented', 0, 0, 0, 0, $3)",
                params![site, id, now_ms],
            )?;
            write(tx, id, &new, actor, now_ms)
        });
        self.changed(made.await)
    }

    /// Changes a tariff, for stays that begin from now on; `wanted` makes it of what it was.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Invalid`] as for [`Parking::add_fee_config`], or what `wanted`
    /// says.
    pub async fn change_fee_config(
        &self,
        admin: &Admin,
        id: i64,
        wanted: impl FnOnce(NewFeeConfig) -> Result<NewFeeConfig> + Send + 'static,
    ) -> Result<FeeConfig> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let changed = self.base.store.write(move |tx| {
            let before = get(tx, id)?;
            let wanted = wanted(before.clone().into())?;
            let site = site_of(tx, wanted.site.as_deref(), wanted.area_id, now_ms)?;
            tx.execute("UPDATE tariffs SET site_id = $1 WHERE id = $2", params![site, id])?;
            let after = write(tx, id, &wanted, actor, now_ms)?;
            if (&before.site, before.area_id) != (&after.site, after.area_id) {
                tell(tx, &before, now_ms)?;
            }
            Ok(after)
        });
        self.changed(changed.await)
    }

    /// Takes a tariff out of use; stays that began by it are still charged by it.
    ///
    /// # Errors
    /// [`Error::NotFound`], also where it is out of use already.
    pub async fn remove_fee_config(&self, admin: &Admin, id: i64) -> Result<FeeConfig> {
        let (actor, now_ms) = (admin.actor(), self.base.now_ms());
        let removed = self.base.store.write(move |tx| {
            let before = get(tx, id)?;
            if !before.is_active {
                return Err(Error::NotFound("fee config"));
            }
            tx.execute("UPDATE tariffs SET is_active = 0 WHERE id = $1", params![id])?;
            tell(tx, &before, now_ms)?;
            let message = format!("费用配置 {} 已停用", before.name);
            Entry::of_person(before.site, now_ms, actor, "fee", message).write(tx)?;
            get(tx, id)
        });
        self.changed(removed.await)
    }
}

/// The tariff that a stay is charged by that begins now.
pub(super) fn standing(
    tx: &mut dyn Transaction,
    site: &str,
    area: Option<i64>,
    is_member: bool,
) -> Result<Standing> {
    let sql = format!(
        "{SELECT} WHERE site_id = $1 AND is_active = 1
         AND (area_id IS NULL OR area_id = CAST($2 AS BIGINT)) AND for_members <= $3
         ORDER BY for_members DESC, CASE WHEN area_id IS NULL THEN 1 ELSE 0 END, id DESC LIMIT 1"
    );
    let Some(row) = first(tx, &sql, params![site, area, is_member])? else { return Ok(usual()) };
    let config = config(&row)?;
    Ok(Standing { id: Some(config.id), name: config.name, tariff: config.tariff })
}

/// Tells the site what stays cost from now on where `changed` was or is the tariff.
fn tell(tx: &mut dyn Transaction, changed: &FeeConfig, now_ms: i64) -> Result<()> {
    let (site, area) = (&changed.site, changed.area_id);
    let sql = format!(
        "{SELECT} WHERE site_id = $1 AND is_active = 1 AND for_members = 0
         AND COALESCE(area_id, 0) = $2 ORDER BY id DESC LIMIT 1"
    );
    let row = first(tx, &sql, params![site, area.unwrap_or(0)])?;
    let standing = row.as_ref().map(config).transpose()?;
    let (name, tariff) = standing.map(|standing| (standing.name, standing.tariff)).unzip();
    let told = Directive::Tariff { area, name: name.unwrap_or_default(), tariff };
    directives::issue(tx, site, &told, now_ms)?;
    Ok(())
}

const SELECT: &str = "SELECT id, site_id, area_id, name, rule, free_minutes, base_fee_fen,
        base_seconds, hourly_rate_fen, daily_max_fee_fen, for_members, is_active, created_at_ms
    FROM tariffs";

fn get(tx: &mut dyn Transaction, id: i64) -> Result<FeeConfig> {
    let row = first(tx, &format!("{SELECT} WHERE id = $1"), params![id])?;
    config(&row.ok_or(Error::NotFound("fee config"))?)
}

fn config(row: &Row) -> Result<FeeConfig> {
    let whole = |column: usize| -> Result<u32> {
        let value: i64 = row.get(column)?;
        Ok(u32::try_from(value).map_err(|e| StoreError::new("read a tariff", e))?)
    };
    let tariff = Tariff {
        rule: match row.get::<String>(4)?.as_str() {
            "overtime" => TariffRule::Overtime,
            _ => TariffRule::Documented,
        },
        free_minutes: whole(5)?,
        base_fee: Fen(row.get(6)?),
        base_seconds: whole(7)?,
        hourly_rate: Fen(row.get(8)?),
        daily_max_fee: row.get::<Option<i64>>(9)?.map(Fen),
    };
    Ok(FeeConfig {
        id: row.get(0)?,
        site: row.get(1)?,
        area_id: row.get(2)?,
        name: row.get(3)?,
        tariff,
        for_members: row.get(10)?,
        is_active: row.get(11)?,
        created_at_ms: row.get(12)?,
    })
}

/// The site of an area in use; without one the site that is named, or the default one.
fn site_of(
    tx: &mut dyn Transaction,
    named: Option<&str>,
    area: Option<i64>,
    now_ms: i64,
) -> Result<String> {
    let Some(area) = area else {
        let Some(site) = named else { return Ok(default_site(tx, now_ms)?) };
        exists(tx, site)?;
        return Ok(site.to_owned());
    };
    let sql = "SELECT site_id FROM areas WHERE id = $1 AND is_active = 1";
    let row = first(tx, sql, params![area])?;
    Ok(row.ok_or_else(|| Error::invalid("area_id", "no such area"))?.get(0)?)
}

fn write(
    tx: &mut dyn Transaction,
    id: i64,
    wanted: &NewFeeConfig,
    actor: Actor,
    now_ms: i64,
) -> Result<FeeConfig> {
    let tariff = &wanted.tariff;
    tariff.check().map_err(|bad| Error::invalid(bad.field(), bad.to_string()))?;
    let rule = match tariff.rule {
        TariffRule::Documented => "documented",
        TariffRule::Overtime => "overtime",
    };
    tx.execute(
        "UPDATE tariffs SET name = $1, area_id = $2, rule = $3, free_minutes = $4,
                base_fee_fen = $5, base_seconds = $6, hourly_rate_fen = $7,
                daily_max_fee_fen = $8, for_members = $9, is_active = $10 WHERE id = $11",
        params![
            text::required("name", &wanted.name, 100)?,
            wanted.area_id,
            rule,
            i64::from(tariff.free_minutes),
            tariff.base_fee.0,
            i64::from(tariff.base_seconds),
            tariff.hourly_rate.0,
            tariff.daily_max_fee.map(|fee| fee.0),
            wanted.for_members,
            wanted.is_active,
            id
        ],
    )?;
    let config = get(tx, id)?;
    tell(tx, &config, now_ms)?;
    let message = format!("费用配置 {} 已保存", config.name);
    Entry::of_person(config.site.clone(), now_ms, actor, "fee", message).write(tx)?;
    Ok(config)
}
