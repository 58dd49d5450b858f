//! Which letters an operator means: by id or by filter, never all by accident.

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

use super::Objection;
use super::letters::{Filter, State, filtered};

const CHOOSE: &str = include_str!("sql/letters_choose.sql");

/// Most letters of one request by filter.
pub const MOST: usize = 10_000;
/// Most letters named one by one.
const MOST_NAMED: usize = 1_000;

/// What an operator has said.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// These letters.
    pub letters: Vec<Uuid>,
    /// Or the open ones that fit.
    pub filter: Filter,
}

/// A letter that is meant.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Chosen {
    /// Which letter.
    pub letter_id: Uuid,
    /// Whose.
    pub consumer: String,
    /// Its cause.
    pub fingerprint: String,
    /// The event; none for a record that is no event of the log.
    pub event_id: Option<Uuid>,
    /// Its type.
    pub event_type: Option<String>,
    /// What has become of it.
    pub state: String,
}

/// The letters meant: streams by the time of their oldest letter, those of one stream in its order. All are open.
///
/// # Errors
/// [`Objection`] if nothing or too much is meant, or a letter named is not open.
pub async fn choose(wanted: &Wanted, tx: &mut PgConnection) -> Result<Vec<Chosen>, Objection> {
    let is_named = !wanted.letters.is_empty();
    let filter = Filter { state: (!is_named).then_some(State::Open), ..wanted.filter.clone() };
    check(wanted)?;
    let ids = is_named.then_some(&wanted.letters);
    let most = i64::try_from(MOST + 1).unwrap_or(i64::MAX);
    let chosen: Vec<Chosen> = filtered!(sqlx::query_as(CHOOSE), filter).bind(ids).bind(most).fetch_all(tx).await?;
    if let Some(missing) = wanted.letters.iter().find(|id| !chosen.iter().any(|letter| letter.letter_id == **id)) {
        return Err(Objection::Missing(format!("there is no letter {missing}; `ordo dlq list` shows those there are")));
    }
    if let Some(ended) = chosen.iter().find(|letter| letter.state != State::Open.as_str()) {
        return Err(Objection::NotNow(format!(
            "letter {} is {} already; `ordo dlq show {}` says by whom and why",
            ended.letter_id, ended.state, ended.letter_id
        )));
    }
    match chosen.len() {
        0 => Err(Objection::Missing(
            "no open letter fits; `ordo dlq list` with the same filters shows the same".to_owned(),
        )),
        1..=MOST => Ok(chosen),
        _ => Err(Objection::Invalid(format!(
            "more than {MOST} letters fit: narrow it with --fingerprint, --since or --until, and ask again for the rest"
        ))),
    }
}

fn check(wanted: &Wanted) -> Result<(), Objection> {
    let Filter { consumer, fingerprint, event_type, stream, .. } = &wanted.filter;
    let has_filter = wanted.filter != Filter::default();
    let says_which = [consumer, fingerprint, event_type, stream].into_iter().any(Option::is_some);
    let problem = match (wanted.letters.len(), has_filter) {
        (0, _) if !says_which => {
            "name letters or narrow them with a filter, such as --consumer inventory: all letters of all consumers \
                       are never meant"
                .to_owned()
        }
        (1.., true) => "name letters or use filters, not both: letters are named by their ids alone".to_owned(),
        (many, false) if many > MOST_NAMED => {
            format!("name {MOST_NAMED} letters at most, or use a filter; {many} were named")
        }
        _ => return Ok(()),
    };
    Err(Objection::Invalid(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_letters_are_never_meant() {
        let filter = Filter { consumer: Some("inventory".to_owned()), ..Filter::default() };
        let named = |many: usize| vec![Uuid::nil(); many];
        for (letters, filter, is_meant) in [
            (0, Filter::default(), false),
            (1, Filter::default(), true),
            (MOST_NAMED + 1, Filter::default(), false),
            (0, filter.clone(), true),
            (1, filter, false),
        ] {
            let wanted = Wanted { letters: named(letters), filter };
            assert_eq!(check(&wanted).is_ok(), is_meant, "{wanted:?}");
        }
    }
}
