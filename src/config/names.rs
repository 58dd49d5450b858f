//! Names that begin with `ORDO_`: which are known, and which known one a wrong one was probably meant to be.

/// Other names that begin with `ORDO_`; they have one underscore and configure nothing here.
pub const OTHER_NAMES: &[&str] = &[
    // Read by ordo.
    "ORDO_URL",
    "ORDO_OPS_URL",
    "ORDO_TOKEN",
    "ORDO_ADMIN_DATABASE_URL",
    "ORDO_CRASH_AT",
    "ORDO_STOP_AT",
    "ORDO_DEFECT",
    "ORDO_BUILD",
    // Read by the scripts and by docker/compose.yaml.
    "ORDO_YES",
    "ORDO_SERVICES",
    "ORDO_KAFKA_PLAIN",
    "ORDO_POSTGRES_BUFFERS",
    "ORDO_KAFKA_PORT",
    "ORDO_POSTGRES_PORT",
    "ORDO_POSTGRES_PASSWORD",
    "ORDO_OWNER_PASSWORD",
    "ORDO_SERVICE_PASSWORD",
    // Read by tests and measurements.
    "ORDO_TEST_LOG",
    "ORDO_TEST_SERVICES",
    "ORDO_HARNESS_BIN",
    "ORDO_BENCH_ORDO",
    "ORDO_BENCH_KAFKA_PID",
    "ORDO_BENCH_POSTGRES_PID",
    "ORDO_STORM_MINUTES",
    "ORDO_FUZZ_SECONDS",
];

/// Names less alike than this are not one name misspelt.
const ALIKE: f64 = 0.7;

/// The known name most like `wrong`; none if no name is like it at all.
pub fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let like = |known: &str| strsim::jaro_winkler(wrong, known);
    known.into_iter().filter(|known| like(known) > ALIKE).max_by(|a, b| like(a).total_cmp(&like(b)))
}

/// One line for each of `names` that begins with `ORDO_`, is no configuration (those have two underscores, and a wrong one
/// is an error) and is not known: nobody reads it, and it was probably meant to be another.
pub fn unknown(names: impl Iterator<Item = String>, variables: &[String]) -> Vec<String> {
    let mut unknown: Vec<String> = names
        .filter(|name| name.starts_with("ORDO_") && !name.contains("__") && !OTHER_NAMES.contains(&name.as_str()))
        .map(|name| {
            let known = OTHER_NAMES.iter().copied().chain(variables.iter().map(String::as_str));
            let hint = nearest(&name, known).map_or_else(String::new, |nearest| format!("; did you mean {nearest}?"));
            format!("nothing reads {name}{hint}")
        })
        .collect();
    unknown.sort();
    unknown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> Vec<String> {
        unknown([name.to_owned()].into_iter(), &["ORDO_HTTP__LISTEN".to_owned(), "ORDO_POSTGRES__POOL".to_owned()])
    }

    #[test]
    fn a_name_nobody_reads_is_told_the_nearest_that_somebody_does() {
        assert_eq!(told("ORDO_CRASHAT"), ["nothing reads ORDO_CRASHAT; did you mean ORDO_CRASH_AT?"]);
        assert_eq!(told("ORDO_HTTP_LISTEN"), ["nothing reads ORDO_HTTP_LISTEN; did you mean ORDO_HTTP__LISTEN?"]);
    }

    #[test]
    fn names_that_are_known_or_not_ours_are_not_told() {
        for name in ["ORDO_URL", "ORDO_POSTGRES__POOL", "PATH", "MY_ORDO_X"] {
            assert!(told(name).is_empty(), "{name}");
        }
    }
}
