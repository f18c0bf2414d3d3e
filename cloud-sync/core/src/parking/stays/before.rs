//! What is here of a car before a barrier tells that it came in, asked for all at once.

use domain::plate::normal_form;

use super::Opened;
use crate::{
    error::Result,
    parking::{areas, spots},
    store::{StoreError, Transaction, first, params},
};

/// What is here of a car that comes in.
pub(super) struct Before {
    /// Whether its stay is known by the site's name for it.
    pub(super) is_known: bool,
    /// The stay by which its plate is inside already.
    pub(super) inside: Option<i64>,
    /// The area that its driver wants a spot in.
    wanted_area: Option<String>,
    /// The spot that is kept for it, else a free one.
    spot: Option<i64>,
    /// The first area of the site.
    pub(super) first_area: Option<i64>,
}

impl Before {
    pub(super) fn of(tx: &mut dyn Transaction, opened: &Opened<'_>) -> Result<Self> {
        let sql = "SELECT EXISTS (SELECT 1 FROM parking_sessions
                                  WHERE site_id = $1 AND session_id = $2),
                          (SELECT id FROM parking_sessions
                           WHERE site_id = $1 AND inside_key = $3),
                          (SELECT preferred_area FROM parking_preferences
                           WHERE plate_key = $3 AND auto_assign = 1
                           AND preferred_area IS NOT NULL LIMIT 1),
                          COALESCE((SELECT id FROM spots
                                    WHERE site_id = $1 AND is_active = 1 AND status = 'reserved'
                                    AND reserved_for = $3 AND $3 <> '' ORDER BY id LIMIT 1),
                                   (SELECT id FROM spots
                                    WHERE site_id = $1 AND is_active = 1 AND status = 'available'
                                    ORDER BY area_id, number LIMIT 1)),
                          (SELECT MIN(id) FROM areas WHERE site_id = $1 AND is_active = 1)";
        let key = normal_form(opened.plate);
        let row = first(tx, sql, params![opened.site, &opened.session, &key])?;
        let row = row.ok_or_else(|| StoreError::new("look for a car", "no row"))?;
        Ok(Self {
            is_known: row.get(0)?,
            inside: row.get(1)?,
            wanted_area: row.get(2)?,
            spot: row.get(3)?,
            first_area: row.get(4)?,
        })
    }

    /// A free spot: where its driver wants one, else anywhere.
    pub(super) fn spot(
        &self,
        tx: &mut dyn Transaction,
        opened: &Opened<'_>,
    ) -> Result<Option<i64>> {
        let wanted = match &self.wanted_area {
            Some(name) => areas::by_name(tx, name)?,
            None => None,
        };
        let there = match wanted {
            Some((area, _)) => spots::free(tx, opened.site, Some(area), opened.plate)?,
            None => None,
        };
        Ok(there.or(self.spot))
    }
}
