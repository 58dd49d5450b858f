//! Which product an order names: a few are in great demand, most are not (Zipf).

use super::chance::Chance;

/// A little flatter than the classic exponent of 1, as shops measure it.
const EXPONENT: f64 = 0.9;

pub struct Popularity {
    cumulative: Vec<f64>,
}

impl Popularity {
    pub fn of(products: usize) -> Self {
        let mut sum = 0.0;
        let cumulative = (1..=products)
            .map(|rank| {
                sum += (rank as f64).powf(-EXPONENT);
                sum
            })
            .collect();
        Self { cumulative }
    }

    /// An index from 0; lower ones come more often.
    pub fn draw(&self, chance: &mut Chance) -> usize {
        let Some(total) = self.cumulative.last() else {
            return 0;
        };
        let point = chance.fraction() * total;
        self.cumulative.partition_point(|sum| *sum <= point).min(self.cumulative.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_product_is_wanted_most_and_all_are_wanted() {
        let popularity = Popularity::of(10);
        let mut drawn = [0_u32; 10];
        let mut chance = Chance::of(7, 0);
        for _ in 0..20_000 {
            drawn[popularity.draw(&mut chance)] += 1;
        }
        assert!(drawn.iter().all(|count| *count > 0), "{drawn:?}");
        assert!(drawn[0] > 4 * drawn[9], "{drawn:?}");
    }
}
