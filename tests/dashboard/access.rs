//! Who is let in where: every route of the document, with every role and every kind of credential.

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{TestApp, eventually};

const ROLES: [&str; 3] = ["viewer", "operator", "admin"];

/// One token a role, whose text is the role.
fn tokens() -> String {
    let sha256 = |token: &str| Sha256::digest(token).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let token = |role: &&str| format!("{{name=\"{role}-token\",role=\"{role}\",sha256=\"{}\"}}", sha256(role));
    format!("[{}]", ROLES.iter().map(token).collect::<Vec<_>>().join(","))
}

/// What is left is looked at without tokens.
async fn finished(mut app: TestApp) {
    app.kill().await;
    app.restart_with(&[("ORDO_OPS__TOKENS", "[]")]).await;
    app.finish().await;
}

/// A login as a browser has it: the cookie, and what belongs to it.
struct Session {
    cookie: String,
    csrf: String,
}

async fn login(http: &Client, ops: &str, token: &str) -> Session {
    let answer = http.post(format!("{ops}/ops/v1/session")).json(&json!({ "token": token })).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let told: Value = answer.json().await.unwrap();
    Session { cookie, csrf: told["csrf"].as_str().unwrap().to_owned() }
}

impl Session {
    fn with_cookie(&self, request: RequestBuilder) -> RequestBuilder {
        request.header("cookie", &self.cookie)
    }

    fn with_all(&self, request: RequestBuilder) -> RequestBuilder {
        self.with_cookie(request).header("x-ordo-csrf", &self.csrf)
    }
}

async fn code(answer: Response) -> (StatusCode, String) {
    let status = answer.status();
    let body: Value = answer.json().await.unwrap_or_default();
    (status, body["code"].as_str().unwrap_or_default().to_owned())
}

/// Every route of the document: method, address with its placeholders filled, and the role it needs.
async fn routes(app: &TestApp) -> Vec<(Method, String, usize)> {
    let document = app.http.get(format!("{}/ops/v1/openapi.json", app.ops)).bearer_auth("viewer");
    let document: Value = document.send().await.unwrap().json().await.unwrap();
    let mut routes = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let role = operation["x-role"].as_str().unwrap_or_else(|| panic!("{method} {path} names no role"));
            let role = ROLES.iter().position(|known| *known == role).unwrap();
            let path =
                path.replace("{orderId}", "00000000-0000-0000-0000-000000000000").replace("{projection}", "nothing");
            routes.push((method, format!("{}{path}", app.ops), role));
        }
    }
    for path in ["/metrics", "/readyz", "/livez", "/ops/v1/openapi.json", "/ops/v1/session", "/ops/v1/live"] {
        routes.push((Method::GET, format!("{}{path}", app.ops), 0));
    }
    assert!(routes.len() > 40, "{}", routes.len());
    routes
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_lets_in_who_has_its_role_and_nobody_else() {
    let app = TestApp::start_with(&[("ORDO_OPS__TOKENS", &tokens())]).await;
    let mut sessions = Vec::new();
    for role in ROLES {
        sessions.push(login(&app.http, &app.ops, role).await);
    }
    let own = app.ops.clone();
    let cookie = sessions[0].cookie.split('=').next().unwrap().to_owned();
    for (method, address, needed) in routes(&app).await {
        let is_action = method != Method::GET;
        let ask = || {
            let request = app.http.request(method.clone(), &address);
            // Nothing can be read from it, so nothing is ever done.
            if is_action { request.json(&json!({})) } else { request }
        };
        let what = format!("{method} {address}");
        assert_eq!(
            code(ask().send().await.unwrap()).await,
            (StatusCode::UNAUTHORIZED, "no_token".to_owned()),
            "{what}"
        );
        let wrong = ask().bearer_auth("wrong").send().await.unwrap();
        assert_eq!(code(wrong).await, (StatusCode::UNAUTHORIZED, "no_token".to_owned()), "{what}");
        let forged = ask().header("cookie", format!("{cookie}={}", "0".repeat(64)));
        let answer = code(forged.send().await.unwrap()).await;
        assert_eq!(answer, (StatusCode::UNAUTHORIZED, "no_session".to_owned()), "{what}: a forged cookie");
        for (role, name) in ROLES.iter().enumerate() {
            let expected = |(status, code): (StatusCode, String), how: &str| {
                let what = format!("{what} as {name} by {how}: {status} {code}");
                if role < needed {
                    assert_eq!((status, code.as_str()), (StatusCode::FORBIDDEN, "role_too_low"), "{what}");
                } else {
                    assert!(![StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status), "{what}");
                    assert!(!status.is_server_error(), "{what}");
                }
            };
            expected(code(ask().bearer_auth(name).send().await.unwrap()).await, "token");
            let session = &sessions[role];
            expected(code(session.with_all(ask()).header("origin", &own).send().await.unwrap()).await, "session");
            let foreign = session.with_all(ask()).header("origin", "http://evil.example").send().await.unwrap();
            assert_eq!(code(foreign).await, (StatusCode::FORBIDDEN, "foreign_origin".to_owned()), "{what}");
            if is_action {
                let without = session.with_cookie(ask()).send().await.unwrap();
                assert_eq!(code(without).await, (StatusCode::FORBIDDEN, "no_csrf".to_owned()), "{what}");
                let others = &sessions[(role + 1) % ROLES.len()].csrf;
                let forged = session.with_cookie(ask()).header("x-ordo-csrf", others).send().await.unwrap();
                assert_eq!(code(forged).await, (StatusCode::FORBIDDEN, "no_csrf".to_owned()), "{what}");
            }
        }
    }
    let done: i64 = sqlx::query_scalar("select count(*) from operation").fetch_one(&app.database.db).await.unwrap();
    assert_eq!(done, 0, "nothing was done by any of it");
    let other = app.http.put(format!("{}/ops/v1/nodes", app.ops)).bearer_auth("admin").send().await.unwrap();
    assert_eq!(code(other).await, (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed".to_owned()));
    finished(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_holds_on_every_node_and_ends_on_all_of_them() {
    let tokens = tokens();
    let app = TestApp::start_with(&[("ORDO_OPS__TOKENS", &tokens)]).await;
    let second = app.second_node_with("views", &[("ORDO_OPS__TOKENS", &tokens)]).await;
    let session = login(&app.http, &app.ops, "operator").await;
    // Its cookie has the name of the first listener; a browser would log in by a name of its own.
    let port = second.ops.rsplit(':').next().unwrap();
    let secret = session.cookie.split('=').nth(1).unwrap();
    let there = || {
        app.http.get(format!("{}/ops/v1/session", second.ops)).header("cookie", format!("ordo_session_{port}={secret}"))
    };
    let told: Value = there().send().await.unwrap().json().await.unwrap();
    assert_eq!((told["name"].as_str(), told["role"].as_str()), (Some("operator-token"), Some("operator")));
    let out = session.with_all(app.http.delete(format!("{}/ops/v1/session", app.ops))).send().await.unwrap();
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    let here = session.with_cookie(app.http.get(format!("{}/ops/v1/session", app.ops))).send().await.unwrap();
    assert_eq!(code(here).await, (StatusCode::UNAUTHORIZED, "no_session".to_owned()));
    eventually("the session has ended on the other node", async || {
        (there().send().await.ok()?.status() == StatusCode::UNAUTHORIZED).then_some(())
    })
    .await;
    let kept: Vec<String> =
        sqlx::query_scalar("select encode(hash, 'hex') from ops_session").fetch_all(&app.database.db).await.unwrap();
    assert!(!kept.is_empty() && kept.iter().all(|hash| hash != secret), "the table holds no secret");
    finished(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_many_wrong_tokens_must_wait_and_a_token_is_never_logged() {
    let app = TestApp::start_logged(&[("ORDO_OPS__TOKENS", &tokens())]).await;
    let show = |token: &'static str| {
        app.http.post(format!("{}/ops/v1/session", app.ops)).json(&json!({ "token": token })).send()
    };
    for _ in 0..10 {
        assert_eq!(
            code(show("guess-of-a-token").await.unwrap()).await,
            (StatusCode::UNAUTHORIZED, "wrong_token".to_owned())
        );
    }
    for token in ["guess-of-a-token", "admin"] {
        let answer = show(token).await.unwrap();
        let pause: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=60).contains(&pause), "{pause}");
        assert_eq!(code(answer).await, (StatusCode::TOO_MANY_REQUESTS, "too_many_tries".to_owned()));
    }
    let bearer = app.http.get(format!("{}/ops/v1/nodes", app.ops)).bearer_auth("admin").send().await.unwrap();
    assert_eq!(bearer.status(), StatusCode::OK, "who has a token is not kept out by whoever has none");
    let is_told = |line: &Value| line.to_string().contains("wrong token was shown");
    eventually("the log tells of it", async || app.line(is_told).map(|_| ())).await;
    assert!(app.line(|line| line.to_string().contains("guess-of-a-token")).is_none(), "and never tells the token");
    finished(app).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_a_customer_is_is_shown_to_whoever_has_just_said_why_and_to_nobody_else() {
    let tokens = tokens();
    let app = TestApp::start_with(&[("ORDO_OPS__TOKENS", &tokens)]).await;
    app.stock("mug", 1_250, 10).await;
    let order = app.place("mug", 1).await;
    app.until(order, "confirmed").await;
    let trace = |token: &'static str, revealed: Option<String>| {
        let request = app.http.get(format!("{}/ops/v1/orders/{order}/trace", app.ops)).bearer_auth(token);
        let request = request.query(&revealed.map(|id| [("revealed", id)]));
        async move { request.send().await.unwrap() }
    };
    let customer = |answer: &Value| answer["states"][0]["state"]["userId"].as_str().unwrap().to_owned();
    for role in ROLES {
        let answer: Value = trace(role, None).await.json().await.unwrap();
        assert!(customer(&answer).starts_with("•••"), "{answer}");
        assert_eq!(answer["states"][0]["state"]["currency"] == "EUR", role != "viewer", "{answer}");
        assert!(!answer.to_string().contains("\"ada\""), "{answer}");
    }
    let reveal = |token: &'static str, subject: String| {
        let body = json!({ "args": { "subject": subject }, "reason": "the customer asks" });
        let request = app.http.post(format!("{}/ops/v1/personal/reveal", app.ops)).bearer_auth(token).json(&body);
        async move { code_and_body(request.send().await.unwrap()).await }
    };
    assert_eq!(reveal("viewer", format!("order:{order}")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(reveal("operator", "order:ada".to_owned()).await.0, StatusCode::UNPROCESSABLE_ENTITY);
    let (status, done) = reveal("operator", format!("order:{order}")).await;
    assert_eq!(status, StatusCode::OK, "{done}");
    let operation = done["operationId"].as_str().unwrap().to_owned();
    let answer: Value = trace("operator", Some(operation.clone())).await.json().await.unwrap();
    assert_eq!(customer(&answer), "ada");
    assert_eq!(
        trace("admin", Some(operation.clone())).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY,
        "another's word"
    );
    let (_, other) = reveal("operator", "order:00000000-0000-0000-0000-000000000000".to_owned()).await;
    let other = other["operationId"].as_str().unwrap().to_owned();
    assert_eq!(trace("operator", Some(other)).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "of another order");
    let kept: String = sqlx::query_scalar("select string_agg(args || plan || outcome, '') from operation")
        .fetch_one(&app.database.db)
        .await
        .unwrap();
    assert!(!kept.contains("ada"), "the audit keeps nothing of it: {kept}");
    sqlx::query("update operation set at = at - interval '11 minutes'").execute(&app.database.db).await.unwrap();
    assert_eq!(trace("operator", Some(operation)).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "it was long ago");
    finished(app).await;
}

async fn code_and_body(answer: Response) -> (StatusCode, Value) {
    let status = answer.status();
    (status, answer.json().await.unwrap_or_default())
}
