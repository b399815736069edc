//! The table in Markdown: medians beside the goals.

use std::fmt::Write as _;

use crate::metric::{Goal, Metric, Sample};

/// All turns of one server.
#[derive(Clone, Debug)]
pub(crate) struct Column {
    pub(crate) title: String,
    /// Whether the goals apply to this server.
    pub(crate) ours: bool,
    pub(crate) samples: Vec<Sample>,
}

/// Lowest, median and highest of all turns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    lowest: f64,
    median: f64,
    highest: f64,
}

/// The whole table.
pub(crate) fn render(columns: &[Column]) -> String {
    let titles: Vec<&str> = columns.iter().map(|column| column.title.as_str()).collect();
    let mut table = format!("| | {} | goal | |\n|---|{}---:|---|\n", titles.join(" | "), "---:|".repeat(columns.len()));
    for metric in Metric::ALL {
        // A table in memory takes every line.
        let _ = writeln!(table, "{}", row(*metric, columns));
    }
    table
}

fn row(metric: Metric, columns: &[Column]) -> String {
    let spreads: Vec<(bool, Option<Spread>)> =
        columns.iter().map(|column| (column.ours, column.spread(metric))).collect();
    let decimals = metric.decimals();
    let cell = |spread: &Option<Spread>| spread.map_or_else(|| "-".to_owned(), |spread| spread.cell(decimals));
    let cells: Vec<String> = spreads.iter().map(|(_, spread)| cell(spread)).collect();
    let medians = |ours: bool| {
        let wanted = move |(whose, spread): &(bool, Option<Spread>)| spread.filter(|_| *whose == ours);
        spreads.iter().filter_map(wanted).map(|spread| spread.median)
    };
    let others: Vec<f64> = medians(false).collect();
    let (goal, verdict) = match (metric.goal().and_then(|goal| Bound::of(goal, &others)), medians(true).next()) {
        (Some(bound), Some(ours)) => (bound.text(decimals), bound.verdict(ours)),
        (Some(bound), None) => (bound.text(decimals), String::new()),
        (None, _) => Default::default(),
    };
    format!("| {} | {} | {goal} | {verdict} |", metric.title(), cells.join(" | "))
}

impl Column {
    fn spread(&self, metric: Metric) -> Option<Spread> {
        Spread::of(self.samples.iter().filter_map(|sample| sample.value(metric)).collect())
    }
}

impl Spread {
    /// `None` without values.
    pub(crate) fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let median = *values.get(values.len() / 2)?;
        Some(Self { lowest: *values.first()?, median, highest: *values.last()? })
    }

    pub(crate) fn cell(&self, decimals: usize) -> String {
        let Self { lowest, median, highest } = self;
        format!("{median:.decimals$} ({lowest:.decimals$}-{highest:.decimals$})")
    }
}

/// A goal as a number of its row.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Bound {
    /// None where the goal is a share of others that were not measured.
    fn of(goal: Goal, others: &[f64]) -> Option<Self> {
        match goal {
            Goal::AtMost { of_best, value } => {
                let share = of_best.zip(others.iter().copied().reduce(f64::min)).map(|(share, best)| share * best);
                share.into_iter().chain(value).reduce(f64::min).map(Self::AtMost)
            }
            Goal::AtLeastOfBest(times) => {
                others.iter().copied().reduce(f64::max).map(|best| Self::AtLeast(times * best))
            }
        }
    }

    fn text(self, decimals: usize) -> String {
        match self {
            Self::AtMost(bound) => format!("at most {bound:.decimals$}"),
            Self::AtLeast(bound) => format!("at least {bound:.decimals$}"),
        }
    }

    fn verdict(self, ours: f64) -> String {
        let beyond = match self {
            Self::AtMost(bound) => ours / bound - 1.0,
            Self::AtLeast(bound) => 1.0 - ours / bound,
        };
        if beyond <= 0.0 { "reached".to_owned() } else { format!("**missed by {:.0} %**", beyond * 100.0) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(ours: bool, metric: Metric, values: &[f64]) -> Column {
        let sample = |value: &f64| {
            let mut sample = Sample::default();
            sample.set(metric, *value);
            sample
        };
        Column { title: String::new(), ours, samples: values.iter().map(sample).collect() }
    }

    #[test]
    fn the_median_is_shown_with_the_lowest_and_the_highest() {
        let columns = [column(true, Metric::LoginRate, &[9.0, 1.0, 3.0, 2.0, 8.0])];
        assert_eq!(row(Metric::LoginRate, &columns), "| logins per second | 3 (1-9) |  |  |");
    }

    #[test]
    fn a_goal_is_a_share_of_the_best_of_the_others() {
        let columns = |ours| {
            [
                column(true, Metric::DownloadCpu, &[ours]),
                column(false, Metric::DownloadCpu, &[2.0]),
                column(false, Metric::DownloadCpu, &[1.0]),
            ]
        };
        assert!(row(Metric::DownloadCpu, &columns(0.75)).ends_with("| at most 0.75 | reached |"));
        assert!(row(Metric::DownloadCpu, &columns(0.9)).ends_with("| at most 0.75 | **missed by 20 %** |"));
        let columns =
            |ours| [column(true, Metric::SmallUploadRate, &[ours]), column(false, Metric::SmallUploadRate, &[100.0])];
        assert!(row(Metric::SmallUploadRate, &columns(150.0)).ends_with("| at least 150 | reached |"));
        assert!(row(Metric::SmallUploadRate, &columns(75.0)).ends_with("| at least 150 | **missed by 50 %** |"));
    }

    #[test]
    fn what_was_not_measured_is_neither_reached_nor_missed() {
        assert_eq!(
            row(Metric::DownloadCpu, &[column(true, Metric::DownloadCpu, &[1.0])]),
            "| TLS download of 1 GiB, CPU-seconds per GiB | 1.00 (1.00-1.00) |  |  |"
        );
        assert_eq!(
            row(Metric::LoginRate, &[column(false, Metric::LoginCpu, &[1.0])]),
            "| logins per second | - |  |  |"
        );
    }
}
