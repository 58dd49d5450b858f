//! The arrows between folders, the homes of client crates, and the owners of tables: held by a test, not by good will.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Folder, and the folders it may name. `app` may see everything; the leaves see nothing of ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("contracts", &["domain"]),
    ("event_store", &["contracts", "domain"]),
    ("subscription", &["event_store", "commands", "contracts", "domain", "faults"]),
    ("read_model", &["subscription", "event_store", "contracts", "domain", "faults"]),
    ("projections", &["read_model", "subscription", "domain", "contracts"]),
    ("consumers", &["subscription", "domain", "contracts", "projections", "read_model", "event_store", "commands"]),
    ("kafka", &["subscription", "contracts", "event_store"]),
    ("commands", &["domain", "contracts"]),
    ("supervision", &[]),
    (
        "actors",
        &[
            "event_store",
            "subscription",
            "read_model",
            "supervision",
            "kafka",
            "commands",
            "domain",
            "contracts",
            "http",
            "faults",
        ],
    ),
    (
        "ops",
        &["supervision", "event_store", "subscription", "read_model", "projections", "kafka", "contracts", "domain"],
    ),
    (
        "http",
        &[
            "commands",
            "ops",
            "projections",
            "read_model",
            "domain",
            "contracts",
            "event_store",
            "subscription",
            "supervision",
            "faults",
        ],
    ),
    ("cli", &["app", "config", "ops", "event_store", "projections", "contracts", "domain"]),
    ("telemetry", &["supervision", "subscription", "contracts"]),
    ("faults", &["subscription", "supervision"]),
    ("postgres", &[]),
    ("clock", &[]),
];

/// Leaves that everything but the domain may use.
const LEAVES: &[&str] = &["clock", "postgres", "telemetry", "config"];

/// Client crate, and the only folders that may name it.
const CRATES: &[(&str, &[&str])] = &[
    ("axum::", &["http", "actors", "app"]),
    ("rdkafka::", &["kafka"]),
    ("ractor::", &["actors", "app"]),
    ("reqwest::", &["cli"]),
    ("aide::", &["http"]),
    ("csv::", &["http"]),
    // An action's or a question's arguments are body, schema and flags in one struct.
    ("clap::", &["cli", "ops"]),
    ("figment::", &["config"]),
    ("opentelemetry::", &["telemetry"]),
    ("opentelemetry_sdk::", &["telemetry"]),
    ("opentelemetry_otlp::", &["telemetry"]),
];

/// Most lines of a file.
const LINES: usize = 400;

struct Source {
    path: PathBuf,
    folder: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut sources = Vec::new();
    collect(&root, &root, &mut sources);
    assert!(sources.len() > 80, "only {} files were found", sources.len());
    sources
}

fn collect(root: &Path, folder: &Path, sources: &mut Vec<Source>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, sources);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let relative = path.strip_prefix(root).unwrap();
            let first = relative.components().next().unwrap().as_os_str().to_str().unwrap();
            let folder = first.trim_end_matches(".rs").to_owned();
            sources.push(Source { text: std::fs::read_to_string(&path).unwrap(), path, folder });
        }
    }
}

/// What a file says outside comments: prose may name what code may not.
fn code(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or("")).collect::<Vec<_>>().join("\n")
}

/// Modules of ours a file names: `crate::x`, and every `x` of `use crate::{x, y::…}`.
fn named(text: &str) -> BTreeSet<String> {
    let code = code(text);
    let mut named = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        if let Some(group) = rest.strip_prefix('{') {
            let (mut depth, mut start) = (0_i32, true);
            let mut word = String::new();
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => start = true,
                    _ if depth > 0 || !start => {}
                    letter if letter.is_alphanumeric() || letter == '_' => word.push(letter),
                    _ if word.is_empty() => {}
                    _ => start = false,
                }
                if (letter == ',' && depth == 0 || !start) && !word.is_empty() {
                    named.insert(std::mem::take(&mut word));
                }
            }
            if !word.is_empty() {
                named.insert(word);
            }
        } else {
            named.insert(rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect());
        }
    }
    named
}

#[test]
fn arrows_point_at_what_is_known() {
    let mut wrong = Vec::new();
    for source in sources() {
        let Some((_, allowed)) = ARROWS.iter().find(|(folder, _)| *folder == source.folder) else {
            continue;
        };
        for module in named(&source.text) {
            let is_module = ARROWS.iter().any(|(folder, _)| *folder == module) || module == "app" || module == "config";
            let is_leaf = LEAVES.contains(&module.as_str()) && source.folder != "domain";
            if is_module && module != source.folder && !is_leaf && !allowed.contains(&module.as_str()) {
                wrong.push(format!("{} names {module}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows nobody drew:\n{}", wrong.join("\n"));
}

#[test]
fn each_client_crate_has_one_home() {
    let mut wrong = Vec::new();
    for source in sources() {
        let code = code(&source.text);
        for (name, homes) in CRATES {
            if code.contains(name) && !homes.contains(&source.folder.as_str()) {
                wrong.push(format!("{} names {name}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_domain_is_pure() {
    for source in sources().iter().filter(|source| source.folder == "domain") {
        let code = code(&source.text);
        for word in ["async ", "sqlx", "tokio", "rdkafka", "axum", "ractor", "Utc::now", "now_v7", "new_v4", "rand::"] {
            assert!(!code.contains(word), "{} names {word}", source.path.display());
        }
    }
}

/// The first line of a migration names who owns its tables; nobody else names them in SQL.
#[test]
fn a_table_has_one_owner() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut owners: Vec<(String, String)> = Vec::new();
    for entry in std::fs::read_dir(root.join("migrations")).unwrap() {
        let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
        let owner = text.lines().next().unwrap().strip_prefix("-- owner: ").expect("a migration names its owner");
        for line in text.lines().filter_map(|line| line.strip_prefix("create table ")) {
            owners.push((line.split([' ', '(']).next().unwrap().to_owned(), owner.to_owned()));
        }
    }
    assert!(owners.len() >= 7, "{owners:?}");
    let mut wrong = Vec::new();
    for (path, folder, text) in statements(root) {
        for (table, owner) in &owners {
            let names = ["from", "into", "update", "join"].iter().any(|verb| {
                text.split(&format!("{verb} {table}"))
                    .skip(1)
                    .any(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            });
            if names && folder != *owner {
                wrong.push(format!("{} names {table}, which {owner} owns", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn statements(root: &Path) -> Vec<(PathBuf, String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "sql") {
                let relative = path.strip_prefix(root.join("src")).unwrap();
                let folder = relative.components().next().unwrap().as_os_str().to_str().unwrap().to_owned();
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, folder, text));
            }
        }
    }
    found
}

#[test]
fn sql_is_asserted_safe_at_one_place() {
    for source in sources() {
        let is_home = source.path.ends_with("read_model/table.rs") || source.path.ends_with("read_model/fold.rs");
        assert!(is_home || !code(&source.text).contains("AssertSqlSafe"), "{}", source.path.display());
    }
}

#[test]
fn actors_are_stopped_and_never_killed() {
    for source in sources().iter().filter(|source| source.folder == "actors" && !source.path.ends_with("tests.rs")) {
        assert!(!code(&source.text).contains(".kill("), "{}", source.path.display());
    }
}

/// `ordo config check` tells a name that nobody reads; one that somebody reads must not be told.
#[test]
fn every_variable_of_ours_is_known() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = vec![root.join("Makefile"), root.join(".ci/run")];
    let mut folders: Vec<PathBuf> =
        ["scripts", "docker", "src", "tests", "examples", "harness/src"].map(|f| root.join(f)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("config/names.rs") && !path.ends_with("tests/configured/mod.rs") {
                texts.push(path);
            }
        }
    }
    let mut unknown = BTreeSet::new();
    for text in texts.iter().filter_map(|path| std::fs::read_to_string(path).ok()) {
        let words = text.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
        unknown.extend(
            words
                .filter(|word| word.starts_with("ORDO_") && !word.contains("__") && !word.ends_with('_'))
                .filter(|word| !ordo::config::OTHER_NAMES.contains(word))
                .map(str::to_owned),
        );
    }
    assert!(unknown.is_empty(), "src/config/names.rs does not list {unknown:?}");
}

#[test]
fn files_stay_small() {
    for source in sources() {
        let lines = source.text.lines().count();
        assert!(lines <= LINES, "{} has {lines} lines; look for its second noun", source.path.display());
    }
}
