//! The configuration as people look at it: every key, its value, where it came from; secrets masked.

use serde_json::Value;

/// What stands for a secret.
const MASK: &str = "…";
/// Keys whose values are secrets, or would help to find one.
const SECRETS: &[&str] = &["sha256", "password", "secret", "token", "headers"];

/// One key.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Section and key, such as `postgres.pool`.
    pub key: String,
    /// Its value, without secrets.
    pub value: Value,
}

/// Every key of `config`, which is a table of tables, with its value. A list is one value.
#[must_use]
pub fn keys(config: Value) -> Vec<Shown> {
    let mut shown = Vec::new();
    flatten(String::new(), config, &mut shown);
    shown
}

fn flatten(key: String, value: Value, shown: &mut Vec<Shown>) {
    match value {
        Value::Object(table) => {
            for (name, value) in table {
                let key = if key.is_empty() { name } else { format!("{key}.{name}") };
                flatten(key, value, shown);
            }
        }
        value => {
            let name = key.rsplit('.').next().unwrap_or_default().to_owned();
            shown.push(Shown { value: masked(&name, value), key });
        }
    }
}

fn masked(name: &str, value: Value) -> Value {
    match value {
        Value::Array(values) => values.into_iter().map(|value| masked(name, value)).collect(),
        Value::Object(table) => table.into_iter().map(|(name, value)| (name.clone(), masked(&name, value))).collect(),
        Value::String(text) if SECRETS.contains(&name) && !text.is_empty() => MASK.into(),
        Value::String(text) => without_password(&text).into(),
        value => value,
    }
}

/// An address without its password, be it before the host or in the query. What is no address stays as it is.
#[must_use]
pub fn without_password(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    // The last @: a password that was not encoded may hold one.
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:{MASK}@{host}"),
            None => format!("{user}@{host}"),
        },
        None => rest.to_owned(),
    };
    let Some((place, query)) = rest.split_once('?') else {
        return format!("{scheme}://{rest}");
    };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if SECRETS.iter().any(|secret| name.ends_with(secret)) => format!("{name}={MASK}"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{scheme}://{place}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_password_is_masked_wherever_an_address_holds_it() {
        for (address, shown) in [
            ("postgres://ordo:s3cret@db:5432/ordo", "postgres://ordo:…@db:5432/ordo"),
            ("postgres://ordo:p@ss/w?rd@db/ordo?sslmode=require", "postgres://ordo:…@db/ordo?sslmode=require"),
            ("postgres://ordo@db/ordo", "postgres://ordo@db/ordo"),
            ("postgres:///ordo?user=ordo&password=s3cret", "postgres:///ordo?user=ordo&password=…"),
            ("127.0.0.1:9092", "127.0.0.1:9092"),
        ] {
            assert_eq!(without_password(address), shown);
        }
    }

    #[test]
    fn a_list_is_one_value_and_secrets_in_it_are_masked() {
        let shown = keys(json!({
            "ops": { "listen": "127.0.0.1:8081", "tokens": [{ "name": "ada", "role": "admin", "sha256": "ab12" }] },
        }));
        let expected = [
            ("ops.listen", json!("127.0.0.1:8081")),
            ("ops.tokens", json!([{ "name": "ada", "role": "admin", "sha256": "…" }])),
        ];
        let shown: Vec<(&str, Value)> = shown.iter().map(|shown| (shown.key.as_str(), shown.value.clone())).collect();
        assert_eq!(shown, expected);
    }
}
