//! The dialect on a connection to PostgreSQL.
//!
//! A statement whose outcome nobody looks at is sent together with the next one that is waited for:
//! what travels there and back is one exchange for all of them, in their order.

use std::{
    collections::{BTreeMap, HashMap},
    future::{Future, poll_fn},
    mem,
    ops::Range,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use tokio::{
    runtime::{self, Runtime},
    time::timeout,
};
use tokio_postgres::{
    Client, Statement,
    types::{ToSql, Type},
};

use super::{
    link::{Link, failed},
    numbers::Numbers,
};
use crate::store::{Row, StoreError, Transaction, Value, take_numbers, threads};

/// Statements that are kept prepared; beyond that, all are forgotten.
const STATEMENTS: usize = 512;
/// Longest wait for a sign of life after a transaction could not begin.
const PROBE: Duration = Duration::from_secs(1);
const BEGIN_READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// What the whole database is locked by.
const DATABASE: &str = "7021091424851459141";
/// What a site is locked by, and a counter, beside the key of its name.
const SITE: i32 = 1;
const COUNTER: i32 = 2;

/// Whom the writes of a connection take turns with.
pub(super) enum Turn {
    /// Nobody: it does not write, or each statement for itself.
    None,
    /// Everybody but counters.
    Alone,
    /// Those at the same site, and those who write alone.
    Site(Arc<Numbers>),
    /// Those at the same counter.
    Counter,
}

/// A connection that one thread owns, made when it is needed.
pub(super) struct PostgresConnection {
    link: Link,
    turn: Turn,
    open: Option<Open>,
    /// By their text and by the types of their parameters.
    statements: HashMap<Arc<str>, Vec<(Vec<Type>, Statement)>>,
    deferred: Vec<Deferred>,
    /// Numbers that were taken for this transaction.
    at_hand: HashMap<String, Range<i64>>,
}

/// What there is while there is a connection. Its bytes move while the runtime is waited for.
struct Open {
    client: Client,
    runtime: Runtime,
}

/// A statement that is to be sent with the next.
struct Deferred {
    prepared: Prepared,
    params: Vec<Value>,
}

#[derive(Clone)]
struct Prepared {
    sql: Arc<str>,
    statement: Statement,
}

impl PostgresConnection {
    pub(super) fn new(link: Link, turn: Turn) -> Self {
        Self {
            link,
            turn,
            open: None,
            statements: HashMap::new(),
            deferred: Vec::new(),
            at_hand: HashMap::new(),
        }
    }

    fn connect(&mut self) -> Result<(), StoreError> {
        self.statements.clear();
        self.deferred.clear();
        self.open = None;
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| StoreError::new("reach the database", e))?;
        let (client, line) = runtime.block_on(self.link.connect())?;
        runtime.spawn(line.run());
        self.open = Some(Open { client, runtime });
        Ok(())
    }

    /// Does the first work since the last transaction: where the connection turns out to be lost,
    /// on a new one.
    pub(super) fn afresh<T>(
        &mut self,
        work: impl Fn(&mut Self) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.open.as_ref().is_none_or(|open| open.client.is_closed()) {
            self.connect()?;
        }
        match work(self) {
            Err(_) if !self.answers() => {
                self.connect()?;
                work(self)
            }
            done => done,
        }
    }

    /// Whether the database still answers here; one that has just ended the connection may not be
    /// known as closed yet.
    fn answers(&mut self) -> bool {
        let Some(Open { client, runtime }) = &self.open else { return false };
        let probe = async { timeout(PROBE, client.check_connection()).await };
        runtime.block_on(probe).is_ok_and(|answer| answer.is_ok())
    }

    /// A parameter has the type of its value, as in SQLite, whatever stands beside it.
    fn prepare(&mut self, sql: &str, params: &[Value]) -> Result<Prepared, StoreError> {
        Value::check(params)?;
        let fits = |types: &[Type]| {
            types.len() == params.len()
                && types.iter().zip(params).all(|(known, value)| *known == value.sql_type())
        };
        if let Some((text, known)) = self.statements.get_key_value(sql)
            && let Some((_, statement)) = known.iter().find(|(types, _)| fits(types))
        {
            return Ok(Prepared { sql: text.clone(), statement: statement.clone() });
        }
        // Where it cannot be prepared, that must undo no more than what comes after these.
        if !self.deferred.is_empty() {
            self.script("")?;
        }
        let types: Vec<_> = params.iter().map(Value::sql_type).collect();
        let Open { client, runtime } = self.open.as_ref().ok_or_else(not_connected)?;
        let statement = runtime.block_on(client.prepare_typed(sql, &types));
        let statement = statement.map_err(|e| failed("prepare", sql, &e))?;
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        let sql: Arc<str> = sql.into();
        self.statements.entry(sql.clone()).or_default().push((types, statement.clone()));
        Ok(Prepared { sql, statement })
    }

    /// Sends what was deferred and then `last`, and waits for all of it; the first failure counts.
    fn exchange<T>(
        &mut self,
        sql: &str,
        act: &'static str,
        last: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
    ) -> Result<T, StoreError> {
        let deferred = mem::take(&mut self.deferred);
        let Open { client, runtime } = self.open.as_ref().ok_or_else(not_connected)?;
        runtime.block_on(async {
            let mut sent = Vec::with_capacity(deferred.len());
            for Deferred { prepared, params } in &deferred {
                let mut answer = Box::pin(client.execute_raw(&prepared.statement, params));
                // The first look at it sends it.
                let early = poll_fn(|context| Poll::Ready(answer.as_mut().poll(context))).await;
                sent.push((prepared, early, answer));
            }
            let mut last = pin!(last(client));
            let early = poll_fn(|context| Poll::Ready(last.as_mut().poll(context))).await;
            for (prepared, early, answer) in sent {
                let outcome = match early {
                    Poll::Ready(outcome) => outcome,
                    Poll::Pending => answer.await,
                };
                outcome.map_err(|e| failed("change the database", &prepared.sql, &e))?;
            }
            let outcome = match early {
                Poll::Ready(outcome) => outcome,
                Poll::Pending => last.await,
            };
            outcome.map_err(|e| failed(act, sql, &e))
        })
    }

    fn turns(&self, locks: &[i32]) -> String {
        let mut sql = String::from("BEGIN");
        let class = match self.turn {
            Turn::None => return sql,
            Turn::Alone => {
                sql += &format!("; SELECT pg_advisory_xact_lock({DATABASE})");
                return sql;
            }
            Turn::Site(_) => {
                sql += &format!("; SELECT pg_advisory_xact_lock_shared({DATABASE})");
                SITE
            }
            Turn::Counter => COUNTER,
        };
        for key in locks {
            sql += &format!("; SELECT pg_advisory_xact_lock({class}, {key})");
        }
        sql
    }
}

fn not_connected() -> StoreError {
    StoreError::new("use the database", "not connected")
}

impl Transaction for PostgresConnection {
    fn execute(&mut self, sql: &str, params: &[Value]) -> Result<usize, StoreError> {
        let Prepared { statement, .. } = self.prepare(sql, params)?;
        let run = async |client: &Client| client.execute_raw(&statement, params).await;
        let changed = self.exchange(sql, "change the database", run)?;
        Ok(usize::try_from(changed).unwrap_or(usize::MAX))
    }

    fn query(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        let Prepared { statement, .. } = self.prepare(sql, params)?;
        let params: Vec<_> = params.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        let act = "query the database";
        let run = async |client: &Client| client.query(&statement, &params).await;
        let rows = self.exchange(sql, act, run)?;
        rows.iter().map(|row| values(row).map_err(|e| failed(act, sql, &e))).collect()
    }

    fn script(&mut self, sql: &str) -> Result<(), StoreError> {
        let run = async |client: &Client| client.batch_execute(sql).await;
        self.exchange(sql, "change the database", run)
    }

    fn defer(&mut self, sql: &str, params: &[Value]) -> Result<(), StoreError> {
        let prepared = self.prepare(sql, params)?;
        self.deferred.push(Deferred { prepared, params: params.to_vec() });
        Ok(())
    }

    fn take_numbers(&mut self, kind: &str, count: i64) -> Result<i64, StoreError> {
        let Turn::Site(numbers) = &self.turn else { return take_numbers(self, kind, count) };
        if let Some(left) = self.at_hand.get_mut(kind).filter(|left| left.end - left.start >= count)
        {
            left.start += count;
            return Ok(left.start - count);
        }
        numbers.take(kind, count)
    }

    fn expect_things(&mut self, things: &BTreeMap<String, i64>) -> Result<(), StoreError> {
        if let Turn::Site(numbers) = &self.turn
            && !things.is_empty()
        {
            self.at_hand = numbers.take_all(things)?;
        }
        Ok(())
    }
}

fn values(row: &tokio_postgres::Row) -> Result<Row, tokio_postgres::Error> {
    (0..row.len()).map(|column| row.try_get(column)).collect::<Result<_, _>>().map(Row)
}

impl threads::Connection for PostgresConnection {
    fn ask(&mut self, sql: &str, params: &[Value]) -> Result<Vec<Row>, StoreError> {
        self.afresh(|connection| connection.query(sql, params))
    }

    fn begin_read(&mut self) -> Result<(), StoreError> {
        self.afresh(|connection| connection.script(BEGIN_READ))
    }

    fn begin_write(&mut self, locks: &[i32]) -> Result<(), StoreError> {
        self.at_hand.clear();
        let begin = self.turns(locks);
        self.afresh(|connection| connection.script(&begin))
    }

    fn begin_part(&mut self) -> Result<(), StoreError> {
        self.defer("SAVEPOINT job", &[])
    }

    /// Travels with the commit. Behind a failed statement it fails too, and so does the commit.
    fn end_only_part(&mut self) -> Result<(), StoreError> {
        self.defer("RELEASE job", &[])
    }

    fn undo_part(&mut self) -> Result<(), StoreError> {
        // Where not even its beginning was sent, there is nothing to undo.
        let begun = self.deferred.first().is_none_or(|one| &*one.prepared.sql != "SAVEPOINT job");
        self.deferred.clear();
        if begun { self.script("ROLLBACK TO job; RELEASE job") } else { Ok(()) }
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let done = self.script("COMMIT");
        if done.is_err() && !self.answers() {
            return Err(StoreError::in_doubt());
        }
        done
    }

    fn rollback(&mut self) {
        self.deferred.clear();
        // A connection that cannot roll back is of no more use.
        if self.script("ROLLBACK").is_err() {
            self.open = None;
        }
    }
}
