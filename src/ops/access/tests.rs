use super::*;
use crate::ops::Token;

/// SHA-256 of `secret`.
const SECRET: &str = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";

fn with_token() -> Config {
    let token = Token { name: "ci".to_owned(), role: Role::Viewer, sha256: SECRET.to_owned() };
    Config { tokens: vec![token], ..Config::default() }
}

fn asks<'a>(host: &'a str, origin: Option<&'a str>) -> Claims<'a> {
    Claims { host: Some(host), origin, authorization: None, session: None }
}

#[test]
fn without_tokens_only_loopback_names_are_answered() {
    let config = Config::default();
    for own in ["127.0.0.1:8081", "localhost", "LOCALHOST:1", "127.1.2.3", "[::1]:8081", "[::1]"] {
        let Ok(Admitted::As(caller)) = admit(&config, asks(own, None)) else { panic!("{own}") };
        assert_eq!((caller.name.as_str(), caller.role), ("local", Role::Admin));
    }
    for foreign in
        ["evil.example", "localhost.evil.example", "10.0.0.1", "127.0.0.1.evil.example", "[::2]", "", "127.0.0.1:x"]
    {
        assert_eq!(admit(&config, asks(foreign, None)), Err(Denied::ForeignHost), "{foreign}");
    }
    assert_eq!(admit(&config, Claims::default()), Err(Denied::ForeignHost));
}

#[test]
fn without_tokens_a_page_of_another_origin_is_refused() {
    let config = Config::default();
    assert!(admit(&config, asks("localhost:8081", Some("http://localhost:8081"))).is_ok());
    for foreign in ["http://evil.example", "http://localhost:3000", "https://localhost:8081", "null"] {
        assert_eq!(admit(&config, asks("localhost:8081", Some(foreign))), Err(Denied::ForeignOrigin), "{foreign}");
    }
}

#[test]
fn with_tokens_one_is_needed_on_loopback_too() {
    let config = with_token();
    assert_eq!(admit(&config, asks("127.0.0.1", None)), Err(Denied::NoToken));
    for wrong in ["Bearer other", "Basic secret", "secret", "Bearer"] {
        let claims = Claims { authorization: Some(wrong), ..asks("127.0.0.1", None) };
        assert_eq!(admit(&config, claims), Err(Denied::NoToken), "{wrong}");
    }
    let claims = Claims { authorization: Some("bearer secret"), host: Some("ops.example"), ..Claims::default() };
    assert_eq!(admit(&config, claims), Ok(Admitted::As(Caller { name: "ci".to_owned(), role: Role::Viewer })));
}

#[test]
fn an_address_others_reach_needs_tokens_with_hashes() {
    let outside = "0.0.0.0:8081".parse().expect("an address");
    assert!(check(&Config::default()).is_ok());
    assert!(check(&Config { listen: outside, ..Config::default() }).is_err());
    assert!(check(&Config { listen: outside, ..with_token() }).is_ok());
    let mut plain = with_token();
    plain.tokens[0].sha256 = "secret".to_owned();
    assert!(check(&plain).is_err());
}

#[test]
fn a_cookie_is_looked_up_and_a_token_counts_more() {
    let config = with_token();
    let cookie = Claims { session: Some("s"), ..asks("ops.example", None) };
    assert_eq!(admit(&config, cookie), Ok(Admitted::BySession("s")));
    let both = Claims { authorization: Some("Bearer wrong"), ..cookie };
    assert_eq!(admit(&config, both), Err(Denied::NoToken), "a wrong token is not excused by a cookie");
}

#[test]
fn a_cookie_goes_along_by_itself_so_the_page_must_be_our_own() {
    let config = with_token();
    let from = |origin| Claims { session: Some("s"), ..asks("ops.example", Some(origin)) };
    for own in ["http://ops.example", "https://ops.example", "https://OPS.example"] {
        assert!(admit(&config, from(own)).is_ok(), "{own}");
    }
    for foreign in ["https://evil.example", "https://ops.example.evil.example", "null"] {
        assert_eq!(admit(&config, from(foreign)), Err(Denied::ForeignOrigin), "{foreign}");
    }
    let bearer = Claims { authorization: Some("Bearer secret"), ..from("https://evil.example") };
    assert!(admit(&config, bearer).is_ok(), "no page sends a token that it was not given");
}
