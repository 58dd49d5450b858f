//! `Ordo-Position`: the place of the event in the log, as the service answered it.

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    pub partition: i16,
    pub position: i64,
}

impl FromStr for Token {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let unreadable = || format!("{text:?} is not <partition>:<position>");
        let (partition, position) = text.split_once(':').ok_or_else(unreadable)?;
        Ok(Self {
            partition: partition.parse().map_err(|_| unreadable())?,
            position: position.parse().map_err(|_| unreadable())?,
        })
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.partition, self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_reads_back_as_written() {
        let token = Token { partition: 7, position: 123_456 };
        assert_eq!(token.to_string().parse(), Ok(token));
        assert!("7-1".parse::<Token>().is_err());
    }
}
