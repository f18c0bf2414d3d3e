//! What `src/store/schema/README.md` says of how the schema can be spread, held against the schema
//! itself: which tables have the site in their key, which have not, and what is unique across sites.

use std::collections::BTreeMap;

use tokio_postgres::Client;

use crate::world::{Place, World};

const README: &str = include_str!("../../src/store/schema/README.md");

const KEYS: &str = "
    SELECT c.relname::text, COALESCE(array_agg(a.attname::text)
           FILTER (WHERE a.attname IS NOT NULL), '{}')
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
    WHERE c.relkind = 'r' GROUP BY c.relname ORDER BY c.relname";
const INDICES: &str = "
    SELECT c.relname::text, t.relname::text, pg_get_indexdef(i.indexrelid), i.indisunique,
           EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = t.oid
                   AND a.attnum = ANY (i.indkey) AND a.attname = 'site_id')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
    JOIN pg_namespace n ON n.oid = t.relnamespace AND n.nspname = 'public'
    WHERE NOT i.indisprimary ORDER BY 1";

/// Each table and the columns of its primary key.
async fn keys(client: &Client) -> BTreeMap<String, Vec<String>> {
    let rows = client.query(KEYS, &[]).await.unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

fn has_site(key: &[String]) -> bool {
    key.iter().any(|column| column == "site_id")
}

async fn client(world: &World) -> Client {
    let url = world.server().unwrap().url();
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn every_table_has_the_site_in_its_key_or_is_named_as_one_that_has_not() {
    let world = World::on(Place::postgres());
    let keys = keys(&client(&world).await).await;
    assert!(keys.len() > 40, "{}", keys.len());
    for (table, key) in keys {
        let is_named = README.contains(&format!("`{table}`"));
        assert!(has_site(&key) != is_named, "`{table}` ({key:?}): the README must name it or not");
    }
}

#[tokio::test]
async fn what_is_unique_across_sites_is_named() {
    let world = World::on(Place::postgres());
    let client = client(&world).await;
    let keys = keys(&client).await;
    for row in client.query(INDICES, &[]).await.unwrap() {
        let (index, table): (String, String) = (row.get(0), row.get(1));
        let (is_unique, with_site): (bool, bool) = (row.get(3), row.get(4));
        let by_number = index.ends_with("_id_key");
        if has_site(&keys[&table]) && is_unique && !with_site && !by_number {
            assert!(README.contains(&format!("`{index}`")), "`{index}` of `{table}` is not named");
        }
    }
}

/// PostgreSQL's own partitions want of a key what distributed engines want: the column that a table
/// is spread by.
#[tokio::test]
async fn every_table_with_the_site_in_its_key_can_be_split_by_it() {
    let world = World::on(Place::postgres());
    let client = client(&world).await;
    let mut tables: Vec<_> = keys(&client).await.into_iter().collect();
    tables.retain(|(_, key)| has_site(key));
    for (table, key) in &tables {
        let sql = format!(
            "CREATE TABLE split_{table} (LIKE {table} INCLUDING DEFAULTS,
                 PRIMARY KEY ({})) PARTITION BY HASH (site_id);
             CREATE TABLE split_{table}_0 PARTITION OF split_{table}
                 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
             CREATE TABLE split_{table}_1 PARTITION OF split_{table}
                 FOR VALUES WITH (MODULUS 2, REMAINDER 1);",
            key.join(", ")
        );
        client.batch_execute(&sql).await.unwrap();
    }
    for row in client.query(INDICES, &[]).await.unwrap() {
        let (index, table, sql): (String, String, String) = (row.get(0), row.get(1), row.get(2));
        let (is_unique, with_site): (bool, bool) = (row.get(3), row.get(4));
        if tables.iter().any(|(known, _)| *known == table) {
            let sql = sql.replace(&format!("INDEX {index} "), &format!("INDEX split_{index} "));
            let sql = sql.replace(&format!("public.{table} "), &format!("public.split_{table} "));
            // What stays unique across sites otherwise stands in the README.
            let sql = if with_site { sql } else { sql.replace("UNIQUE ", "") };
            client.batch_execute(&sql).await.unwrap_or_else(|e| panic!("{sql} ({is_unique}): {e}"));
        }
    }
}
