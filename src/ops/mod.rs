//! What operators may ask, once for REST, CLI and page.

pub mod access;
pub mod action;
pub mod actions;
pub mod audit;
mod config;
mod finding;
pub mod plan;
mod question;
pub mod questions;

pub use config::{Config, Token};
pub use finding::{Finding, Status};
pub use question::{Context, Question, Unanswered};

/// The route of a question or an action by its name; a list is what the path without `list` shows.
#[must_use]
pub fn route_of(name: &str) -> String {
    let words: Vec<&str> = name.split(' ').collect();
    let path = match words.as_slice() {
        [path @ .., "list"] if !path.is_empty() => path.join("/"),
        path => path.join("/"),
    };
    format!("/ops/v1/{path}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::action::Action;
    use super::*;

    #[test]
    fn a_list_is_the_path_of_what_it_lists() {
        assert_eq!(route_of("alarms list"), "/ops/v1/alarms");
        assert_eq!(route_of("alarms acknowledge"), "/ops/v1/alarms/acknowledge");
        assert_eq!(route_of("nodes"), "/ops/v1/nodes");
    }

    #[derive(Default)]
    struct Names(Vec<&'static str>);

    impl questions::Visitor for Names {
        fn visit<Q: Question>(&mut self) {
            self.0.push(Q::NAME);
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
