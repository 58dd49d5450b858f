//! From the name of a question or an action to its path, and from a path with placeholders to a request.

use serde_json::{Map, Value};

/// The route of a question or an action by its name; a list is what the path without `list` shows.
#[must_use]
pub fn route_of(name: &str) -> String {
    let words: Vec<&str> = name.split(' ').collect();
    let path = match words.as_slice() {
        [path @ .., "list"] if !path.is_empty() => path.join("/"),
        path => path.join("/"),
    };
    under(&path)
}

/// A path below the operators' own.
pub(super) fn under(path: &str) -> String {
    format!("/ops/v1/{path}")
}

/// Names in braces: `orderId` of `/ops/v1/orders/{orderId}/why`.
pub fn placeholders(route: &str) -> impl Iterator<Item = &str> {
    route.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name)
}

/// A route with its placeholders taken from `args`, and what is left of them for the query; what is null is left out.
#[must_use]
pub fn filled(route: &str, args: &Map<String, Value>) -> (String, Vec<(String, String)>) {
    let mut path = route.to_owned();
    for name in placeholders(route) {
        let value = args.get(name).map(text).unwrap_or_default();
        path = path.replace(&format!("{{{name}}}"), &encoded(&value));
    }
    let is_left = |name: &str| placeholders(route).all(|placeholder| placeholder != name);
    let left = args.iter().filter(|(name, value)| !value.is_null() && is_left(name));
    (path, left.map(|(name, value)| (name.clone(), text(value))).collect())
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text as one segment of a path, or one value of a query: what RFC 3986 does not leave unreserved is escaped.
#[must_use]
pub fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_the_path_of_what_it_lists() {
        assert_eq!(route_of("alarms list"), "/ops/v1/alarms");
        assert_eq!(route_of("alarms acknowledge"), "/ops/v1/alarms/acknowledge");
        assert_eq!(route_of("nodes"), "/ops/v1/nodes");
    }

    #[test]
    fn placeholders_are_filled_and_the_rest_is_query() {
        let args = json!({ "orderId": "a/b ä", "limit": 7, "path": null, "all": true });
        let (path, query) = filled("/ops/v1/orders/{orderId}/why", args.as_object().expect("an object"));
        assert_eq!(path, "/ops/v1/orders/a%2Fb%20%C3%A4/why");
        assert_eq!(query, [("all".to_owned(), "true".to_owned()), ("limit".to_owned(), "7".to_owned())]);
        let (path, query) = filled("/ops/v1/nodes", &Map::new());
        assert_eq!((path.as_str(), query.len()), ("/ops/v1/nodes", 0));
    }
}
