//! Orders that carry a mark, so that whoever makes some events fail can tell which: their user, and for whoever sees no
//! user the one product they ask for.

use std::str::FromStr;

use super::chance::Chance;

/// `<user>=<per mille>`, or `<user>=<per mille>@<product>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    pub user: String,
    /// Orders of a thousand that carry it.
    pub per_mille: u64,
    /// The only product of such an order; any if none.
    pub product: Option<String>,
}

impl FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no mark; write mallory=10 or mallory=10@poison, of a thousand orders");
        let (user, rest) = text.split_once('=').ok_or_else(wrong)?;
        let (share, product) = rest.split_once('@').map_or((rest, None), |(share, product)| (share, Some(product)));
        let per_mille = share.parse().ok().filter(|share| *share <= 1_000).ok_or_else(wrong)?;
        if user.is_empty() || product.is_some_and(str::is_empty) {
            return Err(wrong());
        }
        Ok(Self { user: user.to_owned(), per_mille, product: product.map(str::to_owned) })
    }
}

/// The mark of one order, if it carries any; at most one.
pub fn draw(marks: &[Mark], seed: u64, number: u64) -> Option<&Mark> {
    if marks.is_empty() {
        return None;
    }
    // A generator of its own: what an order asks for does not depend on whether others are marked.
    let mut drawn = Chance::of(!seed, number).next() % 1_000;
    marks.iter().find(|mark| {
        let is_it = drawn < mark.per_mille;
        drawn = drawn.saturating_sub(mark.per_mille);
        is_it
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(text: &str) -> Mark {
        text.parse().unwrap()
    }

    #[test]
    fn a_mark_is_a_user_a_share_and_maybe_a_product() {
        assert_eq!(mark("a=10"), Mark { user: "a".into(), per_mille: 10, product: None });
        assert_eq!(mark("a=1@p").product.as_deref(), Some("p"));
        for text in ["", "a", "a=", "a=x", "=5", "a=5@", "a=1001"] {
            assert!(text.parse::<Mark>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn each_mark_comes_as_often_as_it_says() {
        let marks = [mark("a=100"), mark("b=50")];
        let count = |user: &str| {
            (0..10_000).filter(|number| draw(&marks, 7, *number).is_some_and(|mark| mark.user == user)).count()
        };
        assert!((850..1_150).contains(&count("a")), "{}", count("a"));
        assert!((400..600).contains(&count("b")), "{}", count("b"));
        assert_eq!(draw(&[], 7, 1), None);
    }
}
