//! What admins set: parameters, and which piles are in service.

use domain::charging::{BadParameter, Parameters, Periods, PileId, PileStatus, Rate};

use super::{
    Charging, act, log, site, state,
    views::{self, PileView, Viewer},
};
use crate::{
    caller::Admin,
    error::{Error, Result},
};

/// Settings that are to be different; those left out stay as they are.
#[derive(Debug, Clone, Default)]
pub struct ParametersChange {
    /// Fast piles.
    pub fast_piles: Option<u32>,
    /// Slow piles.
    pub slow_piles: Option<u32>,
    /// Places in the waiting area.
    pub waiting_places: Option<u32>,
    /// Cars at one pile.
    pub queue_length: Option<u32>,
    /// Power of a fast pile, in watts.
    pub fast_power_w: Option<i64>,
    /// Power of a slow pile, in watts.
    pub slow_power_w: Option<i64>,
    /// Rate in peak periods.
    pub peak: Option<Rate>,
    /// Rate in normal periods.
    pub normal: Option<Rate>,
    /// Rate in valley periods.
    pub valley: Option<Rate>,
    /// Rate of the service.
    pub service: Option<Rate>,
    /// The periods.
    pub periods: Option<Periods>,
}

impl ParametersChange {
    fn applied_to(self, parameters: &Parameters) -> Parameters {
        fn set<T>(place: &mut T, value: Option<T>) {
            if let Some(value) = value {
                *place = value;
            }
        }
        let mut changed = parameters.clone();
        set(&mut changed.fast_piles, self.fast_piles);
        set(&mut changed.slow_piles, self.slow_piles);
        set(&mut changed.waiting_places, self.waiting_places);
        set(&mut changed.queue_length, self.queue_length);
        set(&mut changed.fast_power_w, self.fast_power_w);
        set(&mut changed.slow_power_w, self.slow_power_w);
        set(&mut changed.tariff.rates.peak, self.peak);
        set(&mut changed.tariff.rates.normal, self.normal);
        set(&mut changed.tariff.rates.valley, self.valley);
        set(&mut changed.tariff.rates.service, self.service);
        set(&mut changed.tariff.periods, self.periods);
        changed
    }
}

impl Charging {
    /// The settings, for everybody to see.
    ///
    /// # Errors
    /// [`Error::Store`] where the database cannot be used.
    pub async fn parameters(&self) -> Result<Parameters> {
        self.base.store.read(state::parameters).await
    }

    /// Changes settings and returns all of them. What is running goes on as it began.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a setting that is out of its range, by its name in
    /// [`ParametersChange`].
    pub async fn set_parameters(
        &self,
        admin: &Admin,
        change: ParametersChange,
    ) -> Result<Parameters> {
        let actor = admin.actor();
        self.write(move |tx, moment| {
            let parameters = change.applied_to(&state::parameters(tx)?);
            parameters.check()?;
            let set = parameters.clone();
            let at_sites = site::said(tx)?;
            act(tx, moment, |station| Ok(station.set_parameters(moment.now_ms, set, &at_sites)))?;
            log(tx, moment, actor, "the charging parameters are set".to_owned())?;
            Ok(parameters)
        })
        .await
    }

    /// Takes a pile out of service or back into it.
    ///
    /// # Errors
    /// [`Error::NotFound`] where there is no such pile.
    pub async fn set_pile(
        &self,
        admin: &Admin,
        id: PileId,
        status: PileStatus,
    ) -> Result<PileView> {
        let actor = admin.actor();
        self.write(move |tx, moment| {
            // A site's charger that staff let back is what its site says.
            let is = site::hold(tx, id, status)?.unwrap_or(status);
            let outcome = act(tx, moment, |station| station.set_pile(moment.now_ms, id, is))?;
            log(tx, moment, actor, format!("{id} is set to {}", status.as_str()))?;
            let piles = views::piles(tx, &outcome.station, moment.now_ms, Viewer::STAFF)?;
            piles.into_iter().find(|pile| pile.id == id).ok_or(Error::NotFound("pile"))
        })
        .await
    }
}

impl From<BadParameter> for Error {
    fn from(bad: BadParameter) -> Self {
        let field = match &bad {
            BadParameter::Range { name, .. } => name,
            BadParameter::Periods(_) => "periods",
        };
        Self::invalid(field, bad.to_string())
    }
}
