//! The engine against a real file.
#![allow(clippy::unwrap_used)]

use super::*;

fn open(folder: &tempfile::TempDir) -> Store {
    Store::open(&format!("sqlite:///{}", folder.path().join("cloud.db").display())).unwrap()
}

async fn count(store: &Store) -> i64 {
    store
        .read(|tx| Ok(number(tx, "SELECT COALESCE(SUM(last), 0) FROM counters", &[])?))
        .await
        .unwrap()
}

#[tokio::test]
async fn writes_of_many_callers_are_all_kept_and_a_failed_one_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder);
    let writes = (0..200).map(|index| {
        let store = store.clone();
        tokio::spawn(async move {
            store
                .write(move |tx| {
                    next_id(tx, "thing")?;
                    if index % 10 == 0 { Err(Error::NotFound("thing")) } else { Ok(()) }
                })
                .await
        })
    });
    let mut failed = 0;
    for write in writes.collect::<Vec<_>>() {
        failed += i32::from(write.await.unwrap().is_err());
    }
    assert_eq!((failed, count(&store).await), (20, 180));
}

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    open(&folder).write(|tx| Ok(next_id(tx, "thing")?)).await.unwrap();
    let again = open(&folder);
    assert_eq!(again.write(|tx| Ok(next_id(tx, "thing")?)).await.unwrap(), 2);
}

#[tokio::test]
async fn parameters_are_bound_by_their_number_wherever_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let row = open(&folder)
        .read(|tx| Ok(first(tx, "SELECT $2, $1, $2", params!["one", 2_i64])?))
        .await
        .unwrap()
        .unwrap();
    let values: (i64, String, i64) =
        (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
    assert_eq!(values, (2, "one".to_owned(), 2));
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    drop(open(&folder));
    let file = rusqlite::Connection::open(folder.path().join("cloud.db")).unwrap();
    file.execute("INSERT INTO schema_steps (step) VALUES (999)", []).unwrap();
    let url = format!("sqlite:///{}", folder.path().join("cloud.db").display());
    let problem = Store::open(&url).err().unwrap().to_string();
    assert!(problem.contains("newer program"), "{problem}");
}

#[test]
fn other_databases_are_refused_by_name() {
    let problem = Store::open("mysql://x").err().unwrap().to_string();
    assert!(problem.contains("sqlite:///relative.db"), "{problem}");
}
