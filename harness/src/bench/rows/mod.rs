//! Every row: one file, one line.

mod accept;

use super::row::Row;

pub const ALL: &[Row] = &[accept::AT_64, accept::AT_256];
