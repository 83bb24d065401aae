//! What the judgement is given: evidence, made of what was read. Pure, no client, and no clock but an argument. Each function
//! answers one question about the world, and its table of cases stands beside it; the shell only fills the arguments, and the
//! model and the views call the same functions.

mod list;
mod marks;
mod object;
mod protection;

pub use list::{Group, List, Recorded, Shown, Sought, glance, listing, orphans, owner, undecided};
pub use marks::{Me, nonce};
pub use object::{
    Object, Status, StoredIntent, Unclear, Wanted, blank, mark, marked, sought, sought_elsewhere, standing,
};
pub use protection::{Flag, guard, sealed, seen};
