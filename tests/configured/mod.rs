//! `ordo config`: what a process would be configured with. Needs no server.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ordo::app::Role;
use serde_json::Value;
use uuid::Uuid;

/// A folder of a test's own, so that no `ordo.toml` of somebody else is read.
struct Folder(PathBuf);

impl Folder {
    fn with(toml: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ordo-config-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("ordo.toml"), toml).unwrap();
        Self(folder)
    }

    fn ordo(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Output {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let ordo = Path::new(env!("CARGO_BIN_EXE_ordo"));
        let mut command = Command::new(ordo);
        command.current_dir(&self.0).args(arguments).env_clear().env("PATH", path).envs(environment.iter().copied());
        command.output().unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

const ADDRESS: (&str, &str) = ("DATABASE_URL", "postgres://ordo:s3cret@db/ordo");

#[test]
fn every_key_is_shown_with_its_value_and_where_it_came_from_and_no_secret() {
    let hash = "5e".repeat(32);
    let folder = Folder::with(&format!(
        "[subscription]\nattempts = 7\nlease = \"4s\"\n[[ops.tokens]]\nname = \"ada\"\nrole = \"admin\"\nsha256 = \"{hash}\"\n"
    ));
    let output = folder.ordo(
        &["config", "show", "--json"],
        &[ADDRESS, ("KAFKA_BROKERS", "broker:9092"), ("ORDO_POSTGRES__POOL", "12"), ("ORDO_SUBSCRIPTION__LEASE", "5s")],
    );
    let (shown, _) = said(&output);
    assert!(!shown.contains("s3cret") && !shown.contains(&hash), "{shown}");
    let keys: Vec<Value> = serde_json::from_str(&shown).unwrap();
    let found = |key: &str| {
        let found = keys.iter().find(|shown| shown["key"] == key).unwrap_or_else(|| panic!("{key} is not shown"));
        (found["value"].clone(), found["from"].as_str().unwrap().to_owned())
    };
    let origins = |key: &str, value: Value, from: &str| assert_eq!(found(key), (value, from.to_owned()), "{key}");
    origins("postgres.url", "postgres://ordo:…@db/ordo".into(), "DATABASE_URL");
    origins("kafka.brokers", "broker:9092".into(), "KAFKA_BROKERS");
    origins("postgres.pool", 12.into(), "ORDO_POSTGRES__POOL");
    origins("subscription.lease", "5s".into(), "ORDO_SUBSCRIPTION__LEASE");
    origins("subscription.batch_events", 200.into(), "default");
    let (attempts, file) = found("subscription.attempts");
    assert!(attempts == 7 && file.ends_with("ordo.toml"), "{file}");
    assert_eq!(found("ops.tokens").0[0]["name"], "ada");
    assert!(keys.len() > 40, "only {} keys are shown", keys.len());
}

#[test]
fn a_configuration_that_can_be_used_is_ok() {
    let output = Folder::with("").ordo(&["config", "check"], &[ADDRESS]);
    let (line, warnings) = said(&output);
    assert!(output.status.success() && line.starts_with("ok; 1 keys"), "{line}{warnings}");
    assert_eq!(warnings, "");
}

#[test]
fn a_value_out_of_range_is_told_in_one_line_with_where_it_stands() {
    let output = Folder::with("").ordo(&["config", "check"], &[ADDRESS, ("ORDO_EVENT_STORE__WRITERS", "0")]);
    assert_eq!(output.status.code(), Some(1));
    let expected = "ordo: ORDO_EVENT_STORE__WRITERS: event_store.writers = 0: expected 1 to 256\n";
    assert_eq!(said(&output), (String::new(), expected.to_owned()));
    let folder = Folder::with("[postgres]\npool = 0\n");
    let (_, error) = said(&folder.ordo(&["config", "check"], &[ADDRESS]));
    assert!(error.contains("ordo.toml: postgres.pool = 0"), "{error}");
}

#[test]
fn a_wrong_variable_is_told_by_its_own_name_and_the_nearest_key() {
    let output = Folder::with("").ordo(&["config", "check"], &[ADDRESS, ("ORDO_POSTGRES__POOOL", "9")]);
    let (_, error) = said(&output);
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("ORDO_POSTGRES__POOOL") && error.contains("`pool`"), "{error}");
    assert_eq!(error.lines().count(), 1, "{error}");
}

#[test]
fn a_name_that_nobody_reads_is_a_warning_with_the_nearest_that_somebody_does() {
    let environment = [ADDRESS, ("ORDO_HTTP_LISTEN", "127.0.0.1:80"), ("ORDO_URL", "http://127.0.0.1:8080")];
    let output = Folder::with("").ordo(&["config", "check"], &environment);
    let (_, warnings) = said(&output);
    assert!(output.status.success());
    assert_eq!(warnings, "ordo: warning: nothing reads ORDO_HTTP_LISTEN; did you mean ORDO_HTTP__LISTEN?\n");
    let output = Folder::with("").ordo(&["config", "check", "--json"], &environment);
    let answer: Value = serde_json::from_str(&said(&output).0).unwrap();
    assert_eq!((&answer["status"], answer["warnings"].as_array().unwrap().len()), (&"ok".into(), 1));
}

#[test]
fn an_address_that_is_none_is_refused_and_none_at_all_is_a_warning() {
    let output = Folder::with("").ordo(&["config", "check"], &[("DATABASE_URL", "ordo at db")]);
    assert_eq!(output.status.code(), Some(1));
    let output = Folder::with("").ordo(&["config", "check"], &[]);
    let (_, warnings) = said(&output);
    assert!(output.status.success() && warnings.contains("DATABASE_URL"), "{warnings}");
}

/// Words of `docker/` that look like keys of the configuration.
fn docker_words(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docker").join(file)).unwrap();
    let words = text.split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    words.filter(|word| word.starts_with("ORDO_") && word.contains("__")).map(str::to_owned).collect()
}

#[test]
fn what_docker_configures_are_keys_and_roles_of_ordo() {
    let shown = said(&Folder::with("").ordo(&["config", "show", "--json"], &[])).0;
    let keys: Vec<Value> = serde_json::from_str(&shown).unwrap();
    let variables: Vec<String> =
        keys.iter().map(|shown| ordo::config::variable_of(shown["key"].as_str().unwrap())).collect();
    for file in ["Dockerfile", "compose.yaml", "ops-token.sh"] {
        let words = docker_words(file);
        assert!(!words.is_empty(), "docker/{file} configures nothing");
        for word in words {
            assert!(variables.contains(&word), "docker/{file} sets {word}, which is no key");
        }
    }
    let compose = include_str!("../../docker/compose.yaml");
    let mut roles: Vec<Role> = compose
        .split("--roles, \"")
        .skip(1)
        .flat_map(|rest| rest.split('"').next().unwrap().split(','))
        .map(|role| role.parse().unwrap())
        .collect();
    roles.sort_by_key(|role| Role::all().iter().position(|known| known == role));
    assert_eq!(roles, Role::all(), "each role is run by one of the services");
}

#[test]
fn the_token_that_docker_makes_is_one_that_ordo_takes() {
    let folder = Folder::with("");
    let script = folder.0.join("ops-token.sh");
    std::fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("docker/ops-token.sh"), &script).unwrap();
    for _ in 0..2 {
        assert!(Command::new("bash").arg(&script).output().unwrap().status.success());
    }
    let line = std::fs::read_to_string(folder.0.join("ops-token.env")).unwrap();
    let (name, value) = line.trim_end().split_once('=').unwrap();
    let environment = [ADDRESS, (name, value.trim_matches('\'')), ("ORDO_OPS__LISTEN", "0.0.0.0:8081")];
    let output = folder.ordo(&["config", "check"], &environment);
    assert!(output.status.success(), "{}", said(&output).1);
    let without = folder.ordo(&["config", "check"], &[ADDRESS, ("ORDO_OPS__LISTEN", "0.0.0.0:8081")]);
    assert!(!without.status.success());
}
