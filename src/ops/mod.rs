//! What operators may ask, once for REST, CLI and page.

pub mod access;
pub mod action;
pub mod actions;
pub mod audit;
mod config;
mod consumer;
mod finding;
mod letters;
mod logged;
pub mod mask;
mod owner;
pub mod plan;
mod question;
pub mod questions;
mod read_model;
pub mod route;
pub mod session;

pub use config::{Config, Token};
pub use finding::{Finding, Status};
pub use question::{Context, Probe, Question, Unanswered};
pub use route::route_of;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::action::Action;
    use super::*;

    #[derive(Default)]
    struct Names(Vec<&'static str>);

    impl questions::Visitor for Names {
        fn visit<Q: Question>(&mut self) {
            self.0.push(Q::NAME);
            assert!(Q::EXAMPLE.is_none_or(|example| example.starts_with(&format!("ordo {}", Q::NAME))), "{}", Q::NAME);
            let schema = schemars::schema_for!(Q::Args);
            for name in route::placeholders(&Q::route()) {
                assert!(schema.pointer(&format!("/properties/{name}")).is_some(), "{}: {name} is no argument", Q::NAME);
            }
        }
    }

    impl actions::Visitor for Names {
        fn visit<A: Action>(&mut self) {
            self.0.push(A::NAME);
            assert!(A::ROLE > access::Role::Viewer, "{} changes something", A::NAME);
            assert!(A::EXAMPLE.starts_with(&format!("ordo {}", A::NAME)), "{}", A::EXAMPLE);
        }
    }

    #[test]
    fn names_are_unique_and_actions_are_not_for_viewers() {
        let mut names = Names::default();
        questions::each(&mut names);
        actions::each(&mut names);
        assert_eq!(names.0.iter().collect::<BTreeSet<_>>().len(), names.0.len(), "{:?}", names.0);
    }
}
