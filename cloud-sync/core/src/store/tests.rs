//! The engine against real databases: every test once on a new SQLite file and once in an empty
//! PostgreSQL database.
#![allow(clippy::unwrap_used)]

use super::*;

#[allow(dead_code, reason = "the services' tests use all of it")]
#[path = "../../tests/services/postgres.rs"]
mod server;

/// An empty database; gone with this.
pub(crate) struct Place {
    pub(crate) url: String,
    /// Its file, and what services keep beside the database.
    pub(crate) folder: tempfile::TempDir,
    _database: Option<server::Database>,
}

impl Place {
    /// A new SQLite file.
    pub(crate) fn sqlite() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:///{}", folder.path().join("cloud.db").display());
        Self { url, folder, _database: None }
    }

    /// An empty PostgreSQL database.
    pub(crate) fn postgres() -> Self {
        let database = server::Database::create();
        let folder = tempfile::tempdir().unwrap();
        Self { url: database.url(), folder, _database: Some(database) }
    }

    fn open(&self) -> Store {
        Store::open(&self.url).unwrap()
    }
}

/// Makes each of the named functions of a [`Place`] a test on each engine.
macro_rules! on_each_engine {
    ($($story:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $story() {
                super::$story($crate::store::tests::Place::sqlite()).await;
            })+
        }

        mod postgres {
            $(#[tokio::test]
            async fn $story() {
                super::$story($crate::store::tests::Place::postgres()).await;
            })+
        }
    };
}
pub(crate) use on_each_engine;

on_each_engine! {
    writes_of_many_callers_are_all_kept_and_a_failed_one_leaves_nothing,
    a_write_that_goes_on_after_a_failed_statement_takes_no_other_with_it,
    a_lone_write_that_goes_on_after_a_failed_statement_is_kept_where_it_says_so,
    what_was_written_is_found_by_one_question_at_once,
    things_that_were_expected_get_numbers_of_their_own,
    many_keys_are_asked_for_in_few_statements,
    work_that_panics_takes_no_other_with_it,
    what_was_written_is_there_after_opening_again,
    a_read_sees_one_state_and_changes_nothing,
    parameters_are_bound_by_their_number_wherever_they_stand,
    values_come_back_as_they_went,
    sums_and_averages_of_integers_are_numbers,
    truth_is_zero_or_one,
    text_with_nul_is_refused_as_a_value,
    a_database_of_a_newer_program_is_left_alone,
}

async fn count(store: &Store) -> i64 {
    store
        .read(|tx| Ok(number(tx, "SELECT COALESCE(SUM(last), 0) FROM counters", &[])?))
        .await
        .unwrap()
}

async fn row(place: &Place, sql: &'static str, params: &'static [Value]) -> Row {
    place.open().read(move |tx| Ok(first(tx, sql, params)?)).await.unwrap().unwrap()
}

/// Runs writes together and counts those that failed.
async fn failures<F>(store: &Store, works: impl IntoIterator<Item = F>) -> usize
where
    F: FnOnce(&mut dyn Transaction) -> Result<()> + Send + 'static,
{
    let writes = works.into_iter().map(|work| {
        let store = store.clone();
        tokio::spawn(async move { store.write(work).await })
    });
    let mut failed = 0;
    for write in writes.collect::<Vec<_>>() {
        failed += usize::from(write.await.unwrap().is_err());
    }
    failed
}

async fn writes_of_many_callers_are_all_kept_and_a_failed_one_leaves_nothing(place: Place) {
    let store = place.open();
    let writes = (0..200).map(|index| {
        move |tx: &mut dyn Transaction| {
            next_id(tx, "thing")?;
            if index % 10 == 0 { Err(Error::NotFound("thing")) } else { Ok(()) }
        }
    });
    assert_eq!((failures(&store, writes).await, count(&store).await), (20, 180));
}

async fn a_write_that_goes_on_after_a_failed_statement_takes_no_other_with_it(place: Place) {
    let store = place.open();
    let writes = (0..20).map(|index| {
        move |tx: &mut dyn Transaction| {
            if index == 10 {
                let _ = tx.execute("INSERT INTO nothing VALUES (1)", &[]);
            } else {
                next_id(tx, "thing")?;
            }
            Ok(())
        }
    });
    failures(&store, writes).await;
    assert_eq!(count(&store).await, 19);
}

async fn a_lone_write_that_goes_on_after_a_failed_statement_is_kept_where_it_says_so(place: Place) {
    let store = place.open();
    for kept_before in 0..3 {
        let write = store.write(|tx| {
            next_id(tx, "thing")?;
            let _ = tx.execute("INSERT INTO nothing VALUES (1)", &[]);
            Ok(())
        });
        let kept = write.await.is_ok();
        // SQLite undoes the statement alone, PostgreSQL all of it, and neither says otherwise.
        assert_eq!(count(&store).await, if kept { kept_before + 1 } else { 0 });
    }
}

async fn what_was_written_is_found_by_one_question_at_once(place: Place) {
    let store = place.open();
    let sql = "SELECT last FROM counters WHERE name = $1";
    assert!(store.ask(sql, params!["thing"]).await.unwrap().is_empty());
    for written in 1..=20 {
        store.write(|tx| Ok(next_id(tx, "thing")?)).await.unwrap();
        let found = store.ask(sql, params!["thing"]).await.unwrap();
        assert_eq!(found[0].get::<i64>(0).unwrap(), written);
    }
    assert!(store.ask("SELECT nothing", &[]).await.is_err());
}

async fn things_that_were_expected_get_numbers_of_their_own(place: Place) {
    let store = place.open();
    let taking = (0..20).map(|site| {
        let store = store.clone();
        tokio::spawn(async move {
            let work = |tx: &mut dyn Transaction| {
                tx.expect_things(&[("a".to_owned(), 2), ("b".to_owned(), 1)].into())?;
                let taken = ["a", "b", "a", "a"].map(|kind| next_id(tx, kind));
                Ok::<_, Error>(taken.into_iter().collect::<Result<Vec<_>, _>>()?)
            };
            store.write_of(&format!("site-{site}"), work).await.unwrap()
        })
    });
    let mut taken = (Vec::new(), Vec::new());
    for numbers in taking.collect::<Vec<_>>() {
        let numbers = numbers.await.unwrap();
        taken.0.extend([numbers[0], numbers[2], numbers[3]]);
        taken.1.push(numbers[1]);
    }
    taken.0.sort_unstable();
    taken.1.sort_unstable();
    assert_eq!(taken, ((1..=60).collect(), (1..=20).collect()));
}

async fn many_keys_are_asked_for_in_few_statements(place: Place) {
    let store = place.open();
    let found = store.write(|tx| {
        for key in 0..150_i64 {
            let sql = "INSERT INTO counters (name, last) VALUES ($1, $2)";
            tx.execute(sql, params![format!("k{key}"), key])?;
        }
        let keys: Vec<Value> = (0..300).step_by(2).map(|key| format!("k{key}").into()).collect();
        let sql = "SELECT last FROM counters WHERE last <> $1 AND name";
        let rows = query_in(tx, sql, params![4_i64], &keys)?;
        Ok(rows.iter().map(|row| row.get::<i64>(0)).collect::<Result<Vec<_>, _>>()?)
    });
    let mut found = found.await.unwrap();
    found.sort_unstable();
    assert_eq!(found, (0..150).step_by(2).filter(|last| *last != 4).collect::<Vec<_>>());
}

async fn work_that_panics_takes_no_other_with_it(place: Place) {
    let store = place.open();
    let writes = (0..20).map(|index| {
        move |tx: &mut dyn Transaction| {
            next_id(tx, "thing")?;
            assert_ne!(index, 10, "this one is wrong");
            Ok(())
        }
    });
    assert_eq!((failures(&store, writes).await, count(&store).await), (1, 19));
}

async fn what_was_written_is_there_after_opening_again(place: Place) {
    let number = || async { place.open().write(|tx| Ok(next_id(tx, "thing")?)).await.unwrap() };
    assert_eq!((number().await, number().await), (1, 2));
}

async fn a_read_sees_one_state_and_changes_nothing(place: Place) {
    let store = place.open();
    store.write(|tx| Ok(next_id(tx, "thing")?)).await.unwrap();
    let (writer, runtime) = (store.clone(), tokio::runtime::Handle::current());
    let seen = store.read(move |tx| {
        let before = number(tx, "SELECT last FROM counters", &[])?;
        runtime.block_on(writer.write(|tx| Ok(next_id(tx, "thing")?)))?;
        Ok((before, number(tx, "SELECT last FROM counters", &[])?))
    });
    // The read waits for a write, which must not wait for the read.
    assert_eq!(seen.await.unwrap(), (1, 1));
    assert_eq!(count(&store).await, 2);
}

async fn parameters_are_bound_by_their_number_wherever_they_stand(place: Place) {
    let store = place.open();
    let read = store.read(|tx| Ok(first(tx, "SELECT $2, $1, $2", params!["one", 2_i64])?));
    let row = read.await.unwrap().unwrap();
    let values: (i64, String, i64) =
        (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
    assert_eq!(values, (2, "one".to_owned(), 2));
}

async fn values_come_back_as_they_went(place: Place) {
    let store = place.open();
    let values =
        params![i64::MIN, i64::MAX, -0.5, 1e300, "京A·12345 ' \" \\", None::<i64>].to_vec();
    let sent = values.clone();
    let read = store.read(move |tx| Ok(first(tx, "SELECT $1, $2, $3, $4, $5, $6", &sent)?));
    assert_eq!(read.await.unwrap().unwrap().0, values);
}

async fn sums_and_averages_of_integers_are_numbers(place: Place) {
    let sql = "SELECT SUM(n), AVG(n), SUM(n * 0.5), AVG(n * 1.0), SUM(n * 1234567890123456)
               FROM (SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT -20) t";
    let row = row(&place, sql, &[]).await;
    assert_eq!(row.get::<i64>(0).unwrap(), -17);
    let close = |column, wanted: f64| (row.get::<f64>(column).unwrap() - wanted).abs() < 1e-9;
    assert!(close(1, -17.0 / 3.0) && close(2, -8.5) && close(3, -17.0 / 3.0), "{row:?}");
    assert_eq!(row.get::<i64>(4).unwrap(), -17 * 1_234_567_890_123_456);
}

async fn truth_is_zero_or_one(place: Place) {
    let row = row(&place, "SELECT 1 = 1, NOT (1 = 1), NULL IS NULL", &[]).await;
    assert_eq!(row.0, params![1_i64, 0_i64, 1_i64]);
}

async fn text_with_nul_is_refused_as_a_value(place: Place) {
    let store = place.open();
    let write = store.write(|tx| Ok(next_id(tx, "th\0ing")?));
    assert!(matches!(write.await, Err(Error::Invalid { .. })));
}

async fn a_database_of_a_newer_program_is_left_alone(place: Place) {
    let store = place.open();
    let newer = "INSERT INTO schema_steps (step) VALUES (999)";
    store.write(move |tx| Ok(tx.execute(newer, &[])?)).await.unwrap();
    let problem = Store::open(&place.url).err().unwrap().to_string();
    assert!(problem.contains("newer program"), "{problem}");
}
