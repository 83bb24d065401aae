//! What an act leaves of a view. The shell reads the object afresh after an act; the model and the tests go on with this.

use super::*;

impl Act {
    /// What this act does beside writing the status.
    pub fn deed(&self) -> Option<Deed> {
        match self {
            Act::AddFinalizer => Some(Deed::Hold),
            Act::Ask(ask) => Some(ask.deed.clone()),
            Act::Publish(_) => Some(Deed::Publish),
            Act::Seal { .. }
            | Act::Send { .. }
            | Act::Record { .. }
            | Act::Close(_)
            | Act::Forget(_)
            | Act::Release(_) => None,
        }
    }
}

impl Known {
    /// Writes down what is about to be asked for. Of each key the last wish is kept.
    pub fn remember(&mut self, asked: &[Asked]) {
        self.asked.retain(|before| asked.iter().all(|now| now.key != before.key));
        self.asked.extend_from_slice(asked);
    }
}

impl View {
    /// The view after an act that came out like this. What an object becomes by a seal, a record or the like is for those who
    /// hold the object: this one has the standing that it had, but for what was asked.
    pub fn after(&self, act: &Act, outcome: Result<(), Trouble>) -> View {
        let mut view = View { seen: self.seen.clone().after_act(), ..self.clone() };
        view.finalizer |= *act == Act::AddFinalizer && outcome.is_ok();
        if let (Act::Ask(ask), Standing::Known(known)) = (act, &mut view.standing) {
            known.remember(&ask.remember);
        }
        view.seen.acted.extend(act.deed().map(|deed| (deed, outcome)));
        view
    }
}
