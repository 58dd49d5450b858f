//! Counters of the service, from its Prometheus text.

/// The sum of a metric over its labels; `None` when it is not there.
pub fn sum(text: &str, name: &str) -> Option<f64> {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            Some(labelled) => labelled.rsplit_once('}')?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.split_ascii_whitespace().next()?.parse::<f64>().ok()
    });
    values.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE ordo_commits_total counter\nordo_commits_total{writer=\"0\"} 3\n\
        ordo_commits_total{writer=\"1 }\"} 4 1700000000\nordo_commits_total_other 100\nordo_up 1\n";

    #[test]
    fn labels_are_summed_and_longer_names_left_alone() {
        assert_eq!(sum(TEXT, "ordo_commits_total"), Some(7.0));
        assert_eq!(sum(TEXT, "ordo_up"), Some(1.0));
    }

    #[test]
    fn an_absent_metric_is_not_zero() {
        assert_eq!(sum(TEXT, "ordo_commit"), None);
    }
}
