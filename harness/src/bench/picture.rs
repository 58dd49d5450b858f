//! The rows of acceptance as one picture: a bar for each median p99, with a whisker from the best round to the worst.

use anyhow::{Context, anyhow};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::measure::Spread;
use super::result::BenchResult;
use super::{rows, table};

const WIDTH: u32 = 900;
const HEAD: u32 = 84;
const BAR: u32 = 46;
const FOOT: u32 = 56;
const LABELS: u32 = 250;
const INK: RGBColor = RGBColor(0x24, 0x29, 0x2f);
const FAINT: RGBColor = RGBColor(0xd8, 0xde, 0xe4);
const FILL: RGBColor = RGBColor(0x54, 0x8d, 0xd4);
/// Of the longest whisker, to its right: the place of its figures.
const ROOM_FOR_FIGURES: f64 = 0.45;

/// Whether the row of this name is in the picture.
pub fn shows(row: &str) -> bool {
    row.starts_with("accept-")
}

struct Bar<'a> {
    name: &'a str,
    p99: &'a Spread,
}

/// The picture as SVG.
///
/// # Errors
/// No row of acceptance was measured.
pub fn of(result: &BenchResult) -> anyhow::Result<String> {
    let shown = result.rows.iter().filter(|row| shows(row.name));
    let bars: Vec<Bar<'_>> =
        shown.filter_map(|row| Some(Bar { name: row.name, p99: &row.measures.first()?.spread })).collect();
    let longest = bars.iter().map(|bar| bar.p99.max).reduce(f64::max);
    let longest = longest.context("no row of acceptance was measured: add --only accept-running")?;
    let mut svg = String::new();
    draw(&mut svg, &bars, longest, &conditions(result))
        .map_err(|error| anyhow!("the picture could not be drawn: {error}; report this"))?;
    Ok(svg)
}

/// Under which the figures were measured, without which they say nothing.
fn conditions(result: &BenchResult) -> String {
    let BenchResult { machine, rounds, seconds, at, .. } = result;
    let asked = result.rows.iter().flat_map(|row| &row.measures).find(|measure| measure.name == rows::ASKED);
    let rate = asked.map_or_else(String::new, |asked| format!("{:.0} orders/s, ", asked.spread.median));
    let date = match (at.get(..4), at.get(4..6), at.get(6..8)) {
        (Some(year), Some(month), Some(day)) => format!("{year}-{month}-{day}"),
        _ => at.clone(),
    };
    format!("{rate}{} cores, {rounds} rounds of {seconds} s, {date}", machine.cores)
}

type Drawn = Result<(), Box<dyn std::error::Error>>;

fn draw(svg: &mut String, bars: &[Bar<'_>], longest: f64, conditions: &str) -> Drawn {
    let count = u32::try_from(bars.len())?;
    let root = SVGBackend::with_string(svg, (WIDTH, HEAD + BAR * count + FOOT)).into_drawing_area();
    root.fill(&WHITE)?;
    // Plotters takes a size as the height of a line, of which the letters are four fifths.
    let style = |pixels: u32| ("sans-serif", f64::from(pixels) * 1.24).into_text_style(&root).color(&INK);
    let middle = |horizontal| Pos::new(horizontal, VPos::Center);
    root.draw(&Text::new("Until an order is accepted: 99 of 100 callers wait at most so long", (16, 16), style(19)))?;
    let legend = format!("{conditions}; bar: median of the rounds, whisker: from the best to the worst");
    root.draw(&Text::new(legend, (16, 46), style(13)))?;

    let mut chart = ChartBuilder::on(&root)
        .margin_top(HEAD)
        .margin_right(24)
        .x_label_area_size(FOOT)
        .y_label_area_size(LABELS)
        .build_cartesian_2d(0.0..longest * (1.0 + ROOM_FOR_FIGURES), 0.0..f64::from(count))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .x_labels(8)
        .x_label_formatter(&|value| table::number(*value))
        .x_desc("p99 in ms")
        .label_style(style(13))
        .axis_desc_style(style(13))
        .bold_line_style(FAINT)
        .light_line_style(TRANSPARENT)
        .axis_style(INK)
        .draw()?;
    for (index, Bar { name, p99 }) in bars.iter().enumerate() {
        let y = bars.len() as f64 - index as f64 - 0.5;
        let line = |points: Vec<(f64, f64)>| PathElement::new(points, INK.stroke_width(2));
        let cap = |x| line(vec![(x, y - 0.12), (x, y + 0.12)]);
        chart.draw_series([Rectangle::new([(0.0, y - 0.3), (p99.median, y + 0.3)], FILL.filled())])?;
        chart.draw_series([line(vec![(p99.min, y), (p99.max, y)]), cap(p99.min), cap(p99.max)])?;
        let (left, height) = chart.backend_coord(&(0.0, y));
        root.draw(&Text::new((*name).to_owned(), (left - 12, height), style(15).pos(middle(HPos::Right))))?;
        let (right, _) = chart.backend_coord(&(p99.max, y));
        let [median, min, max] = [p99.median, p99.min, p99.max].map(table::number);
        let figures = format!("{median} ms ({min} .. {max})");
        root.draw(&Text::new(figures, (right + 10, height), style(13).pos(middle(HPos::Left))))?;
    }
    root.present()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::machine::Machine;
    use crate::bench::measure::Measure;
    use crate::bench::result::{Measured, fold};

    fn result(rows: &[(&'static str, [f64; 3])]) -> BenchResult {
        let rows = rows.iter().map(|(name, p99)| {
            let rounds =
                p99.map(|value| vec![Measure::new("p99", "ms", value), Measure::new(rows::ASKED, "orders/s", 1_234.0)]);
            Measured { name, about: "", baseline: None, rounds: rounds.to_vec() }
        });
        let machine = Machine {
            cores: 2,
            kernel: String::new(),
            ordo: String::new(),
            postgres: String::new(),
            kafka: None,
            librdkafka: String::new(),
        };
        let (at, rows) = ("20240229T235959Z".into(), fold(rows.collect()));
        BenchResult { at, machine, rounds: 3, seconds: 8, rows }
    }

    #[test]
    fn it_names_the_rows_their_figures_and_the_conditions_and_leaves_others_out() -> anyhow::Result<()> {
        let rows = [("accepted-64", [9_999.0; 3]), ("accept-a", [7.0, 1.0, 12.5]), ("accept-b", [3.0, 2.0, 4.0])];
        let svg = of(&result(&rows))?;
        for text in
            ["accept-a", "7.00 ms (1.00 .. 12.5)", "accept-b", "1234 orders/s, 2 cores, 3 rounds of 8 s, 2024-02-29"]
        {
            assert!(svg.contains(text), "{text:?} is not in {svg}");
        }
        assert!(!svg.contains("accepted-64") && !svg.contains("9999"), "{svg}");
        Ok(())
    }

    #[test]
    fn a_bar_is_as_long_as_its_median() -> anyhow::Result<()> {
        let svg = of(&result(&[("accept-a", [30.0; 3]), ("accept-b", [10.0; 3])]))?;
        let widths: Vec<f64> = svg
            .lines()
            .filter(|line| line.starts_with("<rect") && line.contains("#548DD4"))
            .filter_map(|line| line.split_once("width=\"")?.1.split_once('"')?.0.parse().ok())
            .collect();
        assert_eq!(widths.len(), 2, "{svg}");
        assert!((widths[0] / widths[1] - 3.0).abs() < 0.05, "{widths:?}");
        Ok(())
    }

    #[test]
    fn without_a_row_of_acceptance_there_is_no_picture() {
        assert!(of(&result(&[("accepted-64", [1.0; 3])])).is_err());
    }
}
