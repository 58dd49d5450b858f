//! The figures of orders: right, once, and asked for in every way.

mod asked;
mod counted_once;
mod set_aside;
mod week;

use serde_json::{Value, json};

use crate::support::TestApp;

impl TestApp {
    /// The rows of an answer about figures.
    async fn figures(&self, path: &str) -> Vec<Value> {
        let answer = self.get(&format!("/v1/analytics/{path}")).await;
        let status = answer.status();
        let answer: Value = answer.json().await.unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer["items"].as_array().unwrap().clone()
    }

    async fn operators(&self, path: &str) -> Value {
        self.http.get(format!("{}/ops/v1/{path}", self.ops)).send().await.unwrap().json().await.unwrap()
    }

    async fn operate(&self, path: &str, args: Value) {
        let body = json!({ "args": args, "reason": "a test" });
        let answer = self.http.post(format!("{}/ops/v1/{path}", self.ops)).json(&body).send().await.unwrap();
        let status = answer.status();
        assert!(status.is_success(), "{path}: {}", answer.text().await.unwrap());
    }
}
