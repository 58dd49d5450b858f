use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::support::Database;

/// Every query of the crate, prepared on a fresh database: a statement that does not fit the schema fails here.
#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares_on_a_fresh_database() {
    let database = Database::create().await;
    let files = statements(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(files.len() > 20, "only {} statements were found", files.len());
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    for (number, file) in files.iter().enumerate() {
        let statement = std::fs::read_to_string(file).unwrap();
        let prepared = sqlx::raw_sql(AssertSqlSafe(format!("prepare statement_{number} as\n{statement}")))
            .execute(&mut connection)
            .await;
        assert!(prepared.is_ok(), "{}: {:?}", file.display(), prepared.err());
    }
    connection.close().await.unwrap();
    database.drop().await;
}

fn statements(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(statements(&path));
        } else if path.extension().is_some_and(|ending| ending == "sql") && folder.ends_with("sql") {
            found.push(path);
        }
    }
    found
}
