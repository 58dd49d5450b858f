use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    #[expect(dead_code, reason = "only its reading is tested")]
    items: Vec<Item>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Item {
    #[expect(dead_code, reason = "only its reading is tested")]
    quantity: u32,
}

fn refused(body: &str) -> serde_json::Value {
    serde_json::to_value(&*read::<Wish>(body.as_bytes()).expect_err(body)).expect("a problem is JSON")
}

#[test]
fn what_does_not_fit_is_named_by_its_path() {
    for (body, field) in [
        (r#"{"items":[{"quantity":1},{"quantity":-1}]}"#, "items[1].quantity"),
        (r#"{"items":[{"quantity":"2"}]}"#, "items[0].quantity"),
        (r#"{"items":[{"quantity":99999999999}]}"#, "items[0].quantity"),
        (r#"{"items":[{"quantity":1,"price":3}]}"#, "items[0].price"),
        (r#"{"items":7}"#, "items"),
    ] {
        let problem = refused(body);
        assert_eq!(
            (problem["status"].as_u64(), problem["errors"][0]["field"].as_str()),
            (Some(422), Some(field)),
            "{body}"
        );
    }
}

/// A product as a body may hold it: an object in an object, left out, or one of several.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shelf {
    price: Option<Price>,
    #[serde(default)]
    others: std::collections::BTreeMap<String, Price>,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct Price {
    amount: i64,
}

#[test]
fn an_array_never_stands_for_an_object() {
    for (body, field) in [
        (r"[[]]", "body"),
        (r#"[[{"quantity":1}]]"#, "body"),
        (r#"{"items":[[1]]}"#, "items[0]"),
        (r#"{"items":[{"quantity":1},[1]]}"#, "items[1]"),
    ] {
        let problem = refused(body);
        let found = (problem["status"].as_u64(), problem["errors"][0]["field"].as_str());
        assert_eq!(found, (Some(422), Some(field)), "{body}: {problem}");
    }
    for body in [r#"{"price":[3]}"#, r#"{"others":{"pen":[3]}}"#, "[null]"] {
        assert!(read::<Shelf>(body.as_bytes()).is_err(), "{body}");
    }
    let body = r#"{"price":{"amount":3},"others":{"pen":{"amount":4}},"tags":["a","b"]}"#;
    let shelf = read::<Shelf>(body.as_bytes()).expect(body);
    assert_eq!((shelf.price, shelf.others["pen"].amount, shelf.tags.len()), (Some(Price { amount: 3 }), 4, 2));
}

#[test]
fn what_is_not_json_is_400_with_the_place() {
    for body in ["", "{", "{\"items\":[}", "\u{0}", "not json"] {
        let problem = refused(body);
        assert_eq!(
            (problem["status"].as_u64(), problem["code"].as_str()),
            (Some(400), Some("malformed_json")),
            "{body}"
        );
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("line 1 column")), "{problem}");
    }
}

#[test]
fn only_json_is_json() {
    for (value, expected) in [
        ("application/json", true),
        ("Application/JSON; charset=utf-8", true),
        ("application/merge-patch+json", true),
        ("text/plain", false),
        ("application/x-www-form-urlencoded", false),
        ("text/json", false),
    ] {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().expect("a header"))]);
        assert_eq!(is_json(&headers), expected, "{value}");
    }
    assert!(!is_json(&HeaderMap::new()));
}

#[test]
fn a_trace_context_of_another_form_is_left_out() {
    let read = |text: &str| {
        let headers = HeaderMap::from_iter([("traceparent".parse().expect("a name"), text.parse().expect("a value"))]);
        traceparent(&headers).map(str::to_owned)
    };
    let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    assert_eq!(read(good).as_deref(), Some(good));
    for bad in ["", "00-0af7-b7ad6b7169203331-01", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x", "zz"] {
        assert_eq!(read(bad), None, "{bad}");
    }
}

async fn key(values: &[&str]) -> Result<Option<String>, u16> {
    let mut request = axum::http::Request::builder();
    for value in values {
        request = request.header(IDEMPOTENCY_KEY, *value);
    }
    let (mut parts, ()) = request.body(()).expect("a request").into_parts();
    Key::from_request_parts(&mut parts, &()).await.map(|key| key.0).map_err(|failed| failed.0.status().as_u16())
}

#[tokio::test]
async fn an_idempotency_key_is_one_header_of_1_to_255_printable_characters() {
    assert_eq!(key(&[]).await, Ok(None));
    assert_eq!(key(&["order 7"]).await, Ok(Some("order 7".to_owned())));
    assert_eq!(key(&["x".repeat(255).as_str()]).await, Ok(Some("x".repeat(255))));
    for bad in [&[""][..], &["x".repeat(256).as_str()][..], &["ä"][..], &["a", "b"][..], &["a\tb"][..]] {
        assert_eq!(key(bad).await, Err(400), "{bad:?}");
    }
}
