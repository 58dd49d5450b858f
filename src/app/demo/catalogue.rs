//! What the shop sells.

/// A product of the shop.
#[derive(Clone, Copy, Debug)]
pub struct Goods {
    /// Its id.
    pub id: &'static str,
    /// What customers call it.
    pub name: &'static str,
    /// Price of one in euro cents.
    pub price: u32,
    /// Pieces to begin with; what begins with fewer than 100 runs out.
    pub stock: u32,
}

/// Of what there is less than this, no more ever comes in.
pub const LIMITED: u32 = 100;

const fn goods(id: &'static str, name: &'static str, price: u32, stock: u32) -> Goods {
    Goods { id, name, price, stock }
}

/// Everything it sells, the limited ones last.
pub const CATALOGUE: &[Goods] = &[
    goods("mug-blue", "Blue mug", 1250, 5_000),
    goods("mug-white", "White mug", 1150, 5_000),
    goods("teapot-iron", "Cast iron teapot", 5900, 2_000),
    goods("teapot-glass", "Glass teapot", 3450, 2_000),
    goods("tea-assam", "Assam, 100 g", 899, 20_000),
    goods("tea-darjeeling", "Darjeeling first flush, 100 g", 1790, 10_000),
    goods("tea-sencha", "Sencha, 100 g", 1250, 10_000),
    goods("tea-earl-grey", "Earl Grey, 100 g", 799, 20_000),
    goods("coffee-house", "House blend, 250 g", 950, 20_000),
    goods("coffee-decaf", "Decaf, 250 g", 1050, 8_000),
    goods("grinder-hand", "Hand grinder", 4990, 1_000),
    goods("kettle-gooseneck", "Gooseneck kettle", 6490, 1_000),
    goods("filter-paper", "Paper filters, 100", 420, 50_000),
    goods("honey-acacia", "Acacia honey, 250 g", 690, 6_000),
    goods("biscuits-butter", "Butter biscuits", 380, 30_000),
    goods("jam-apricot", "Apricot jam", 520, 8_000),
    goods("tray-oak", "Oak tray", 3900, 800),
    goods("spoon-silver", "Tea spoon", 1490, 4_000),
    goods("towel-linen", "Linen towel", 1690, 4_000),
    goods("candle-bees", "Beeswax candle", 1290, 6_000),
    goods("cup-limited", "Cup of the year, numbered", 8900, 40),
    goods("tea-gyokuro", "Gyokuro, first pick, 50 g", 4200, 60),
];
