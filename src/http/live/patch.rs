//! What has changed between two answers to one question, small enough to be sent each second.
//!
//! Objects are compared field by field. A list whose rows all carry one of [`KEYS`], each its own, is told as its new order
//! and the rows that are new or different; any other list is told whole. The page's half is `dashboard/src/live/patch.ts`.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::{Map, Value};

/// Fields by which rows are known, the most particular first.
const KEYS: &[&str] = &[
    "key",
    "letterId",
    "replayId",
    "operationId",
    "alarmId",
    "eventId",
    "orderId",
    "nodeId",
    "path",
    "streamId",
    "fingerprint",
    "consumer",
    "name",
    "kind",
];

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Change {
    /// The value at a path, whole.
    Set { set: Vec<String>, value: Value },
    /// A field that is no more.
    Gone { gone: Vec<String> },
    /// A list of rows known by a field: their order now, and those that are new or different.
    Rows { rows: Vec<String>, by: &'static str, order: Vec<String>, changed: BTreeMap<String, Value> },
}

/// What turns `old` into `new`.
pub(super) fn between(old: &Value, new: &Value) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(&mut Vec::new(), old, new, &mut changes);
    changes
}

fn compare(path: &mut Vec<String>, old: &Value, new: &Value, changes: &mut Vec<Change>) {
    match (old, new) {
        _ if old == new => {}
        (Value::Object(old), Value::Object(new)) => fields(path, old, new, changes),
        (Value::Array(old), Value::Array(new)) => match keyed(old, new) {
            Some(by) => changes.push(rows(path.clone(), by, old, new)),
            None => changes.push(Change::Set { set: path.clone(), value: Value::Array(new.clone()) }),
        },
        _ => changes.push(Change::Set { set: path.clone(), value: new.clone() }),
    }
}

fn fields(path: &mut Vec<String>, old: &Map<String, Value>, new: &Map<String, Value>, changes: &mut Vec<Change>) {
    for (name, value) in new {
        path.push(name.clone());
        match old.get(name) {
            Some(before) => compare(path, before, value, changes),
            None => changes.push(Change::Set { set: path.clone(), value: value.clone() }),
        }
        path.pop();
    }
    for name in old.keys().filter(|name| !new.contains_key(*name)) {
        let mut gone = path.clone();
        gone.push(name.clone());
        changes.push(Change::Gone { gone });
    }
}

/// The field by which the rows of both lists are known, if there is one.
fn keyed(old: &[Value], new: &[Value]) -> Option<&'static str> {
    KEYS.iter().copied().find(|key| !new.is_empty() && by_key(old, key).is_some() && by_key(new, key).is_some())
}

fn by_key<'a>(rows: &'a [Value], key: &str) -> Option<HashMap<&'a str, &'a Value>> {
    let mut by_key = HashMap::with_capacity(rows.len());
    for row in rows {
        if by_key.insert(row.get(key)?.as_str()?, row).is_some() {
            return None;
        }
    }
    Some(by_key)
}

fn rows(path: Vec<String>, by: &'static str, old: &[Value], new: &[Value]) -> Change {
    let known = by_key(old, by).unwrap_or_default();
    let name = |row: &Value| row[by].as_str().unwrap_or_default().to_owned();
    let is_new = |row: &&Value| row[by].as_str().and_then(|key| known.get(key)) != Some(row);
    Change::Rows {
        rows: path,
        by,
        order: new.iter().map(name).collect(),
        changed: new.iter().filter(is_new).map(|row| (name(row), row.clone())).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// As the page does it.
    fn apply(value: &Value, changes: &[Change]) -> Value {
        let mut value = value.clone();
        for change in changes {
            match change {
                Change::Set { set, value: new } => *at(&mut value, set) = new.clone(),
                Change::Gone { gone } => {
                    let (name, above) = gone.split_last().expect("a field has a name");
                    at(&mut value, above).as_object_mut().expect("an object").remove(name);
                }
                Change::Rows { rows, by, order, changed } => {
                    let list = at(&mut value, rows);
                    let old = list.as_array().cloned().unwrap_or_default();
                    let known = by_key(&old, by).expect("keyed rows");
                    let row = |key: &String| changed.get(key).unwrap_or_else(|| known[key.as_str()]).clone();
                    *list = order.iter().map(row).collect();
                }
            }
        }
        value
    }

    fn at<'a>(value: &'a mut Value, path: &[String]) -> &'a mut Value {
        path.iter().fold(value, |value, name| {
            value.as_object_mut().expect("an object").entry(name.clone()).or_insert(Value::Null)
        })
    }

    #[test]
    fn only_rows_that_differ_are_told_and_their_order() {
        let old =
            json!({ "consumers": [{ "name": "a", "lag": 1 }, { "name": "b", "lag": 2 }, { "name": "c", "lag": 3 }] });
        let new =
            json!({ "consumers": [{ "name": "c", "lag": 3 }, { "name": "a", "lag": 9 }, { "name": "d", "lag": 4 }] });
        let changes = between(&old, &new);
        let changed = [("a", json!({ "name": "a", "lag": 9 })), ("d", json!({ "name": "d", "lag": 4 }))];
        let expected = Change::Rows {
            rows: vec!["consumers".to_owned()],
            by: "name",
            order: ["c", "a", "d"].map(str::to_owned).into(),
            changed: changed.map(|(key, row)| (key.to_owned(), row)).into(),
        };
        assert_eq!(changes, [expected]);
        assert_eq!(apply(&old, &changes), new);
    }

    #[test]
    fn rows_of_one_name_are_told_whole() {
        let (old, new) = (json!([{ "name": "a" }, { "name": "a" }]), json!([{ "name": "a" }]));
        assert_eq!(between(&old, &new), [Change::Set { set: Vec::new(), value: new.clone() }]);
    }

    fn answers() -> impl Strategy<Value = Value> {
        let leaf =
            prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), (0..5_i64).prop_map(Value::from)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let named = ("[a-d]", inner.clone()).prop_map(|(name, value)| json!({ "name": name, "value": value }));
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                proptest::collection::vec(named, 0..4).prop_map(Value::from),
                proptest::collection::btree_map("[a-c]", inner, 0..3)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_has_changed_applied_to_the_old_is_the_new(old in answers(), new in answers()) {
            prop_assert_eq!(apply(&old, &between(&old, &new)), new);
        }
    }
}
