//! Figures over REST and on the command line, and every question that is none.

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};

use crate::support::{TestApp, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_json_csv_or_a_table_as_whoever_asks_likes() {
    let app = TestApp::start().await;
    app.stock("mug", 100, 10).await;
    let empty = app.get("/v1/analytics/revenue?format=csv").await.text().await.unwrap();
    assert_eq!(empty, "day,currency,placed,confirmed,rejected,cancelled,revenue\n", "a heading and no row");
    for quantity in [2, 3, 90] {
        app.place("mug", quantity).await;
    }
    let today = eventually("all three have their outcome", async || {
        let rows = app.figures("revenue?currency=EUR").await;
        rows.into_iter().find(|row| row["confirmed"] == 2 && row["rejected"] == 1)
    })
    .await;
    assert_eq!((&today["placed"], &today["cancelled"], &today["revenue"]), (&json!(3), &json!(0), &json!(500)));
    let day = today["day"].as_str().unwrap();

    let line = format!("day,currency,placed,confirmed,rejected,cancelled,revenue\n{day},EUR,3,2,1,0,500\n");
    let url = format!("{}/v1/analytics/revenue?from={day}&to={day}", app.url);
    let answer = app.http.get(&url).header(ACCEPT, "text/csv").send().await.unwrap();
    assert_eq!(answer.headers()[CONTENT_TYPE], "text/csv; charset=utf-8; header=present");
    assert_eq!(answer.text().await.unwrap(), line);
    let (well, printed, _) = app.ordo(&["analytics", "revenue", "--from", day, "--to", day, "--csv"]).await;
    assert!(well && printed == line, "{printed}");

    let products = "productId,currency,orders,pieces,revenue\nmug,EUR,2,5,500\n";
    let (_, printed, _) = app.ordo(&["analytics", "top-products", "--by", "pieces", "--limit", "1", "--csv"]).await;
    assert_eq!(printed, products);
    let (_, printed, _) = app.ordo(&["analytics", "customers", "--currency", "EUR"]).await;
    assert!(printed.contains("userId") && printed.contains("ada") && printed.contains("500"), "{printed}");
    let (_, printed, _) = app.ordo(&["analytics", "funnel", "--json"]).await;
    let funnel: Value = serde_json::from_str(&printed).unwrap();
    let row = &funnel["items"][0];
    assert_eq!((&row["day"], &row["placed"], &row["rejected"]), (&json!(day), &json!(3), &json!(1)), "{row}");
    let (_, printed, _) = app.ordo(&["analytics", "customers", "--currency", "USD"]).await;
    assert_eq!(printed, "nothing\n");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_that_is_none_is_refused_and_says_where() {
    let app = TestApp::start_roles("http").await;
    for (path, field) in [
        ("revenue?from=2026-03-02&to=2026-03-01", "from"),
        ("revenue?from=2000-01-01&to=2026-03-01", "from"),
        ("revenue?from=yesterday", "from"),
        ("revenue?currency=euro", "currency"),
        ("revenue?day=2026-03-01", "day"),
        ("revenue?format=xml", "format"),
        ("funnel?currency=EUR", "currency"),
        ("funnel?to=2026-02-30", "to"),
        ("top-products?by=name", "by"),
        ("top-products?limit=0", "limit"),
        ("customers?limit=1001", "limit"),
        ("customers?limit=-1", "limit"),
    ] {
        let answer = app.get(&format!("/v1/analytics/{path}")).await;
        let (status, problem) = (answer.status(), answer.json::<Value>().await.unwrap());
        assert_eq!((status.as_u16(), &problem["code"]), (400, &json!("bad_query")), "{path}: {problem}");
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
    }
    let (well, _, said) =
        app.ordo(&["analytics", "revenue", "--from", "2026-03-02", "--to", "2026-03-01", "--csv"]).await;
    assert!(!well && said.contains("bad_query") && said.contains("the last day"), "{said}");
    app.finish().await;
}
